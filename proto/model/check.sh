#!/usr/bin/env bash
# Searches every model of this directory exhaustively, and finds out whether each rule that is broken on
# purpose is missed. Needs spin and gcc. One line each: name, what was found, states, seconds; fails
# when that is not what has to be found. `check.sh NAME` runs those whose name contains it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pattern=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# In an empty directory: $1 options for gcc, $2 options for pan, $3 the model, then what spin defines.
search() {
  local compile=$1 run=$2 model=$3
  shift 3
  spin -a "$@" "$here/$model.pml" >log 2>&1 || return 0
  # shellcheck disable=SC2086  # options, several
  gcc -w $compile -DMEMLIM=3000 -o pan pan.c >>log 2>&1 || return 0
  # shellcheck disable=SC2086
  timeout 300 ./pan -m10000 -w22 $run >>log 2>&1 || true
}

found() {
  if grep -q 'assertion violated' log; then
    echo assertion
  elif grep -q 'invalid end state (' log; then
    echo stuck
  elif grep -q 'non-progress cycle (' log; then
    echo cycle
  elif ! grep -q 'errors: 0$' log || grep -qE 'max search depth too small|MEMLIM|Error' log; then
    echo unfinished
  elif grep -qE 'pml:[0-9]+, state' log; then
    echo unreached
  else
    echo holds
  fi
}

# As many searches at once as there are processors.
expect() {
  [[ $2 == *"$pattern"* ]] || return 0
  if (($(jobs -rp | wc -l) >= $(nproc))); then wait -n || failed=1; fi
  judge "$@" &
}

judge() {
  local wanted=$1 name=$2 verdict states
  shift 2
  local start=${EPOCHREALTIME/./}
  cd "$(mktemp -d -p "$work")"
  search "$@"
  verdict=$(found)
  states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' log)
  local wrong=""
  if [[ $verdict != "$wanted" ]]; then wrong="  WRONG: not $wanted"; fi
  printf '%-44s %-10s %12s states %4d s%s\n' "$name" "$verdict" "${states:-no}" \
    $(((${EPOCHREALTIME/./} - start) / 1000000)) "$wrong"
  [[ -z $wrong ]] && return 0
  grep -E 'pan:1:|rror|pml:[0-9]+, state' log >&2 || true
  return 1
}

# Every assertion holds, no run stops before the job is done, and nothing in the model is never reached.
always() { local name=$1; shift; expect holds "$name" "-O2 -DSAFETY" '' "$@"; }
# There is no cycle of states: with the above, every run comes to Done.
ends() { local name=$1; shift; expect holds "$name, ends" "-O2 -DNP" -l "$@"; }
# What a broken rule leads to: an assertion that fails, or a job that is stuck.
fails() { local name=$1; shift; expect assertion "$name" "-O1 -DSAFETY" -E "$@"; }
sticks() { local name=$1; shift; expect stuck "$name" "-O1 -DSAFETY" '' "$@"; }

always STORAGE storage -DCRASHES=3
always RESTARTS restarts -DCRASHES=1 -DKILLS=1
always 'RESTARTS, losses' restarts -DCRASHES=1 -DLOSSES=1
always OTHER_INPUT restarts -DOTHER_INPUT -DCRASHES=1
always POISON leases -DPOISON -DCRASHES=1 -DKILLS=1 -DSUSPICIONS=1
always 'POISON, two deaths' leases -DPOISON -DCRASHES=1 -DKILLS=2
always UNSAFE leases -DPOISON -DUNSAFE -DCRASHES=1 -DKILLS=1 -DSUSPICIONS=1 -DLOSSES=1
always DRAIN leases -DDRAIN -DCRASHES=1 -DKILLS=1
always 'DRAIN, losses' leases -DDRAIN -DCRASHES=1 -DLOSSES=1
always NEW_LOG new_log

ends STORAGE storage -DCRASHES=3
ends RESTARTS restarts -DCRASHES=1
ends POISON leases -DPOISON -DCRASHES=1 -DKILLS=1
ends UNSAFE leases -DPOISON -DUNSAFE -DKILLS=1 -DSUSPICIONS=1 -DLOSSES=1
ends DRAIN leases -DDRAIN -DCRASHES=1
ends NEW_LOG new_log

fails BUG_ACK_BEFORE_WRITE storage -DCRASHES=1 -DBUG_ACK_BEFORE_WRITE
fails BUG_DROP_SEGMENT_EARLY storage -DCRASHES=1 -DBUG_DROP_SEGMENT_EARLY
fails BUG_NO_SYNC_AT_RECOVERY storage -DCRASHES=2 -DBUG_NO_SYNC_AT_RECOVERY
fails BUG_NO_TRUNCATE storage -DCRASHES=1 -DBUG_NO_TRUNCATE
fails BUG_NO_FENCE restarts -DBUG_NO_FENCE
fails BUG_GRANT_BEFORE_JOURNAL restarts -DCRASHES=1 -DBUG_GRANT_BEFORE_JOURNAL
fails BUG_COMPARE_HELD_ONLY restarts -DOTHER_INPUT -DBUG_COMPARE_HELD_ONLY
fails BUG_COMPARISON_FORGOTTEN restarts -DOTHER_INPUT -DCRASHES=1 -DBUG_COMPARISON_FORGOTTEN
fails BUG_RELEASE_ON_DELIVERED leases -DDRAIN -DBUG_RELEASE_ON_DELIVERED
fails BUG_LEAVE_EARLY leases -DDRAIN -DKILLS=1 -DBUG_LEAVE_EARLY
fails BUG_ACCEPT_TWICE leases -DPOISON -DKILLS=1 -DSUSPICIONS=1 -DBUG_ACCEPT_TWICE
fails BUG_REPEAT_UNSAFE leases -DPOISON -DUNSAFE -DKILLS=1 -DBUG_REPEAT_UNSAFE
fails BUG_LATE_TASKS leases -DPOISON -DUNSAFE -DSUSPICIONS=1 -DBUG_LATE_TASKS
sticks BUG_NEW_LOG_GOES_ON new_log -DBUG_NEW_LOG_GOES_ON
sticks 'BUG_NEW_LOG_GOES_ON, EPOCHS_GO_ON' new_log -DBUG_NEW_LOG_GOES_ON -DEPOCHS_GO_ON

while [[ -n $(jobs -p) ]]; do
  wait -n || failed=1
done
exit $failed
