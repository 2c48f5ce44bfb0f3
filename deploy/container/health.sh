#!/bin/sh
# Asks how the program is that is process 1 of this container, or process PID, by what the kernel
# knows of it.
#
#     fetchline-health live [PID]   its main thread turns: it waits at most a second at a time, so
#                                   within three it must have slept or used the processor; a
#                                   stopped or wedged one has done neither
#     fetchline-health ready [PID]  it is connected: producer and collector have their port open, a
#                                   worker has a connection to a producer and to a collector, of
#                                   those it was given: of several jobs one may be over
#
# `ready` says nothing about the peers of producer and collector: both may wait for hours for the
# others, and are well. For the image's small shell; needs no privilege.
set -eu

pid=${2:-1}
proc=/proc/$pid

turns() { # of the main thread: sleeps, and hundredths of a second of work
  sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "$proc/task/$pid/status"
  sed 's/.*) //' "$proc/task/$pid/stat" | cut -d ' ' -f 12,13
}

live() {
  before=$(turns)
  for _ in 1 2 3; do
    sleep 1
    [ "$(turns)" = "$before" ] || return 0
  done
  echo "the main thread of process $pid has not turned for 3 s"
  return 1
}

# The values of flag --$1, from the command line or the environment, one a line; else $2.
setting() {
  values=$(tr '\0' '\n' <"$proc/cmdline" | awk -v flag="--$1" '
    follows { print; follows = 0; next }
    $0 == flag { follows = 1 }
    index($0, flag "=") == 1 { print substr($0, length(flag) + 2) }')
  if [ -z "$values" ]; then
    variable=FETCHLINE_$(echo "$1" | tr 'a-z-' 'A-Z_')
    values=$(tr '\0' '\n' <"$proc/environ" | sed -n "s/^$variable=//p")
  fi
  echo "${values:-$2}"
}

# The state ($1: 01 is connected, 0A is listening), the side ($2: 2 is local, 3 is remote) and the
# port ($3) of some socket.
has_socket() {
  cat "$proc/net/tcp" "$proc/net/tcp6" 2>/dev/null |
    awk -v state="$1" -v side="$2" -v port="$(printf ':%04X' "$3")" '
      $4 == state && substr($side, length($side) - 4) == port { found = 1 } END { exit !found }'
}

any() { # $1 state, $2 side, $3 what none of them is; endpoints on stdin
  all=
  while read -r endpoint; do
    if has_socket "$1" "$2" "${endpoint##*:}"; then return 0; fi
    all="$all $endpoint"
  done
  echo "$3$all"
  return 1
}

ready() {
  case $(tr '\0' '\n' <"$proc/cmdline" | head -n 1) in
    *fetchline-producer) setting bind :5555 | any 0A 2 "not listening on" ;;
    *fetchline-collector) setting bind :5556 | any 0A 2 "not listening on" ;;
    *fetchline-worker)
      setting producer :5555 | any 01 3 "not connected to"
      setting collector :5556 | any 01 3 "not connected to"
      ;;
    *) ;; # fetchline has its peers inside
  esac
}

case ${1-} in
  live) live ;;
  ready) ready ;;
  *)
    echo "usage: fetchline-health live|ready [PID]" >&2
    exit 2
    ;;
esac
