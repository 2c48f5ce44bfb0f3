#!/usr/bin/env bash
# The compose file, for real: a fleet in containers that runs a command for each record, and is
# scaled, killed and cut off in mid-job, must give the exact output, and every container must end.
# Makes the machine able to run containers when it is not (root, Debian 12), builds the image, takes
# its own project name, and leaves nothing behind but images.
#
#     deploy/container/test.sh [TASKS]      12,000 by default: about two minutes
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tasks=${1:-12000}
most_bytes=$((120 * 1000 * 1000))
project=fetchline-test-$$
scratch=$(mktemp -d)
base=http://origin:8000

export CONTAINERS_CONF=$scratch/containers.conf DOCKER_HOST=unix://$scratch/podman.sock
export FETCHLINE_IMAGE=localhost/fetchline FETCHLINE_INPUT=$scratch/urls.txt
export FETCHLINE_CONCURRENCY=8    # so that more workers make a difference
export FETCHLINE_PEER_TIMEOUT=60  # who comes too late gives up in the time of this test
FETCHLINE_EMIT=$(python3 "$root/tests/deploy/job.py" rule)
export FETCHLINE_EMIT

say() { echo "test.sh: $SECONDS s: $*"; }

fail() {
  echo "test.sh: FAILED: $*" >&2
  compose logs --tail=15 >&2 || true
  exit 1
}

compose() {
  docker-compose --project-name "$project" -f "$root/deploy/compose/compose.yaml" \
    -f "$root/deploy/compose/test.yaml" "$@"
}

clean_up() {
  if [[ -n ${service:-} ]]; then
    compose down --volumes --timeout 1 >/dev/null 2>&1 || true
    kill "$service" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}

quietly() {
  "$@" >"$scratch/log" 2>&1 </dev/null || {
    cat "$scratch/log" >&2
    fail "$*"
  }
}

eventually() { # within $1 seconds, by asking every half second
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.5
  done
}

start_engine() {
  "$root/deploy/container/engine.sh"
  "$root/deploy/container/engine.sh" serve "$scratch/podman.sock" 2>"$scratch/engine.log" &
  service=$!
  eventually 20 curl -fs --unix-socket "$scratch/podman.sock" http://d/_ping -o /dev/null ||
    fail "podman's service did not start: $(cat "$scratch/engine.log")"
}

build_images() {
  # Docker's format, because the other has no health checks.
  quietly podman build --format docker --layers -t fetchline \
    -f "$root/deploy/container/Dockerfile" "$root"
  quietly podman build --format docker --layers -t fetchline-test-origin \
    -f "$root/tests/deploy/origin.Dockerfile" "$root"
  local bytes
  bytes=$(podman image inspect --format '{{.Size}}' fetchline)
  say "the image has $((bytes / 1000000)) MB"
  ((bytes < most_bytes)) || fail "that is more than $((most_bytes / 1000000)) MB"
}

check_image() {
  local program output user
  run() { podman run --rm --no-healthcheck --read-only --cap-drop all --network none fetchline "$@"; }
  for program in fetchline fetchline-producer fetchline-worker fetchline-collector; do
    output=$(run "$program" --version)
    [[ $output == "$program "[0-9]* ]] || fail "$program --version says: $output"
  done
  output=$(run --version)
  [[ $output == "fetchline "* ]] || fail "flags alone do not go to fetchline: $output"
  user=$(run sh -c 'cat /proc/self/status' | awk '/^Uid:/ { print $2 }')
  ((user != 0)) || fail "the image runs as root"
  say "all four programs run, as user $user, on a read-only root without network or capabilities"
}

containers() { podman ps --filter "label=com.docker.compose.project=$project" "$@"; } # $@: more filters
of() { containers --filter "label=com.docker.compose.service=$1" --format '{{.Names}}' | sort -V; }
scale() {
  quietly compose up --detach --no-recreate --scale "worker=$1" --timeout 40
  say "scaled to $1 workers: $(of worker | wc -l) run"
  [[ $(of worker | wc -l) == "$1" ]] || fail "$(of worker | wc -l) workers run, not $1"
}

results=$scratch/results.ndjson
copy_results() {
  local volume
  volume=$(podman volume inspect --format '{{.Mountpoint}}' "${project}_results")
  cp "$volume"/results.ndjson* "$scratch/"
}
records() {
  wc -l <"$(podman volume inspect --format '{{.Mountpoint}}' "${project}_results")/results.ndjson"
}
has_records() { (($(records 2>/dev/null || echo 0) >= $1)); }
reach() { eventually 120 has_records $(($1 * tasks / 100)) || fail "$1 % were not done in time"; }

expect_health() { # each container, asked as the engine would
  local name
  for name in $(of producer) $(of collector) $(of worker); do
    quietly podman healthcheck run "$name"
    eventually 60 podman exec "$name" fetchline-health ready >/dev/null 2>&1 ||
      fail "$name is not ready: $(podman exec "$name" fetchline-health ready 2>&1)"
  done
  say "every container is live and ready"
}

cut_off() { # a worker, for longer than it takes until it counts as dead
  podman network disconnect "${project}_default" "$1"
  say "cut off $1 at $(records)"
  sleep 9 # its heartbeats give up after 6
  ! podman exec "$1" fetchline-health ready >/dev/null || fail "$1 says it is ready, cut off"
  podman network connect --alias worker "${project}_default" "$1"
  say "connected $1 again at $(records)"
}

none_runs() { [[ -z $(of producer)$(of collector)$(of worker) ]]; }

expect_all_ended() {
  eventually 150 none_runs || fail "still running: $(of producer) $(of collector) $(of worker)"
  local name code
  while read -r name code; do
    [[ $code == 0 || $name == "$killed" ]] || fail "$name ended with $code"
  done < <(containers --all --filter status=exited --format '{{.Names}} {{.ExitCode}}' |
           grep -v _origin_)
  say "all containers have ended, with 0"
}

trap clean_up EXIT
trap 'exit 130' INT TERM
start_engine
build_images
check_image
python3 "$root/tests/deploy/job.py" write "$tasks" "$base" >"$scratch/urls.txt"
chmod 755 "$scratch"
quietly compose up --detach --scale worker=3
say "3 workers, $tasks tasks"
reach 5
expect_health
reach 15
scale 6
reach 30
killed=$(of worker | tail -n 1)
podman kill --signal KILL "$killed" >/dev/null
say "killed $killed at $(records)"
reach 40
cut_off "$(of worker | sed -n 2p)"
reach 60
scale 2
expect_all_ended
copy_results
python3 "$root/tests/deploy/job.py" check "$tasks" "$base" "$results" emits || fail "the output is not exact"
say "passed"
