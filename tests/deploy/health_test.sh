#!/usr/bin/env bash
# What the image's health check says of the programs: each of them is live while it has nothing to
# do, and is not when it was stopped.
#
#     tests/deploy/health_test.sh FETCHLINE PRODUCER WORKER COLLECTOR
set -euo pipefail

health=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy" && pwd)/container/health.sh
scratch=$(mktemp -d)
pids=()

fail() {
  echo "health_test.sh: $*" >&2
  tail -n 5 "$scratch"/*.log >&2
  exit 1
}

clean_up() {
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap clean_up EXIT

run() { # $1: a name; the rest: a program and its flags, with an input that goes on and on
  local name=$1
  shift
  mkfifo "$scratch/$name.input"
  "$@" <>"$scratch/$name.input" >"$scratch/$name.out" 2>"$scratch/$name.log" &
  pids+=($!)
}

# What is said of every program, in the order they were begun; all are asked at the same time.
ask_all() {
  local pid asked=()
  for pid in "${pids[@]}"; do
    "$health" live "$pid" >"$scratch/$pid.live" 2>&1 &
    asked+=($!)
  done
  answers=
  for pid in "${asked[@]}"; do
    if wait "$pid"; then answers+="live "; else answers+="stuck "; fi
  done
}

nobody=tcp://127.0.0.1:9 # discard: nobody is there
run local "$1" -i -
run producer "$2" --bind tcp://127.0.0.1:0 --collector "$nobody" -i -
run worker "$3" --producer "$nobody" --collector "$nobody"
run collector "$4" --bind tcp://127.0.0.1:0

ask_all # and see them begin
ask_all
[[ $answers == "live live live live " ]] || fail "of idle programs it says: $answers"
"$health" ready "${pids[0]}" || fail "fetchline is not ready"
kill -STOP "${pids[@]}"
ask_all
[[ $answers == "stuck stuck stuck stuck " ]] || fail "of stopped programs it says: $answers"
grep -qx "the main thread of process ${pids[0]} has not turned for 3 s" "$scratch/${pids[0]}.live" ||
  fail "it says: $(cat "$scratch/${pids[0]}.live")"
