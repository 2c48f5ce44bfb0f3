#!/usr/bin/env bash
# Runs in a bare Debian that it may change, for package_test.sh: installs the package, uses what it
# brings, removes it.
set -euo pipefail

cd /test
package=$PWD/$1
fail() {
  echo "installed_test.sh: FAILED: $*" >&2
  exit 1
}
quietly() {
  "$@" >/tmp/log 2>&1 </dev/null || {
    cat /tmp/log >&2
    fail "$*"
  }
}

expect_programs() {
  local program port=$((20000 + RANDOM % 10000))
  for program in fetchline fetchline-producer fetchline-worker fetchline-collector; do
    [[ $("$program" --version) == "$program "* ]] || fail "$program --version"
  done
  fetchline -i urls.txt -o one.ndjson -q || fail "a job in one process"
  fetchline-collector --bind "tcp://127.0.0.1:$((port + 1))" -o fleet.ndjson -q &
  fetchline-worker --producer "tcp://127.0.0.1:$port" --collector "tcp://127.0.0.1:$((port + 1))" -q &
  fetchline-producer --bind "tcp://127.0.0.1:$port" --collector "tcp://127.0.0.1:$((port + 1))" \
    -i urls.txt -q || fail "a job in three processes"
  wait
}

expect_pages() {
  local program page
  for program in fetchline fetchline-producer fetchline-worker fetchline-collector; do
    page=$(man --warnings "$program" 2>/tmp/warnings | col -b)
    [[ ! -s /tmp/warnings ]] || fail "man $program warns: $(cat /tmp/warnings)"
    for flag in $("$program" --help | grep -oE '^ {2}(-\w, |    )--[a-z0-9.-]+' | grep -oE -- '--.*'); do
      grep -qe "$flag" <<<"$page" || fail "man $program says nothing of $flag"
    done
  done
}

# Asks each shell what it would offer after the words given.
offered_by_bash() {
  bash -c 'source /usr/share/bash-completion/completions/fetchline-collector
           compopt() { :; }
           COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fetchline_collector
           printf "%s\n" "${COMPREPLY[@]}"' _ "$@" | paste -sd ' '
}
offered_by_fish() { fish -c "complete -C '$*'" | cut -f 1 | sort | paste -sd ' '; }
offered_by_zsh() { # what it tells _arguments, which does the rest
  zsh -fc '_arguments() { print -rl -- "$@" }; fpath=(/usr/share/zsh/vendor-completions $fpath)
           autoload -U _fetchline-collector; _fetchline-collector' | grep -F -- "$1"
}

typed_in_bash() { # what a line typed into a terminal, with tabs, runs there
  cat >/tmp/rc <<<'source /usr/share/bash-completion/bash_completion
                   trap '\''echo "$BASH_COMMAND" >/tmp/typed'\'' DEBUG'
  printf '%b\n' "$1" | script --quiet --command "bash --rcfile /tmp/rc -i" /dev/null >/dev/null
  cat /tmp/typed
}

expect_completions() {
  local offer shell
  offer=$(typed_in_bash 'fetchline-collector --durab\tproc\t--version')
  [[ $offer == "fetchline-collector --durability process --version" ]] || fail "bash makes of tabs: $offer"
  for shell in bash fish; do
    offer=$(offered_by_$shell fetchline-collector --dur)
    [[ $offer == --durability ]] || fail "$shell offers \"$offer\" for --dur"
    offer=$(offered_by_$shell fetchline-collector --durability p)
    [[ $offer == "power process" || $offer == "process power" ]] || fail "$shell offers \"$offer\" for --durability p"
    offer=$(offered_by_$shell fetchline-collector --output /etc/hostn)
    [[ $offer == /etc/hostname ]] || fail "$shell offers \"$offer\" for --output /etc/hostn"
  done
  offered_by_zsh "*--durability=[" | grep -qF ":WORD:(process power)" || fail "zsh: --durability"
  offered_by_zsh "*--output=[" | grep -qF ":FILE:_files" || fail "zsh: --output"
  for file in /usr/share/zsh/vendor-completions/_fetchline*; do zsh -n "$file" || fail "$file"; done
}

expect_units() {
  local role said
  for role in producer collector worker; do
    said=$(systemd-analyze verify "fetchline-$role@job.service" 2>&1 | grep fetchline || true)
    [[ -z $said ]] || fail "$said"
  done
}

quietly apt-get update -q
quietly env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package"
echo "installed with $(dpkg-query -f '${Depends}' -W fetchline | tr ',' '\n' | wc -l) dependencies"
expect_programs
quietly env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
  man-db bsdextrautils bash-completion zsh fish systemd
expect_pages
expect_completions
expect_units
mapfile -t files < <(dpkg -L fetchline)
quietly env DEBIAN_FRONTEND=noninteractive apt-get remove -q -y fetchline
for file in "${files[@]}"; do
  [[ ! -f $file ]] || fail "left behind: $file"
done
left=$(find / -xdev -path /proc -prune -o -path /test -prune -o -path /var/cache/man -prune -o -name '*fetchline*' -print)
[[ -z $left ]] || fail "left behind: $left"
[[ -z $(dpkg-query -W -f '${Status}' fetchline 2>/dev/null) ]] || fail "dpkg still knows it"
echo "used and removed; nothing is left"
