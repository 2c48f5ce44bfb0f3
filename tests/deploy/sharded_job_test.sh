#!/usr/bin/env bash
# One input over three producers and three collectors, with two workers that serve all of them, as
# deploy/kubernetes/overlays/sharded does; in processes. The joined result must be exact.
#
#     tests/deploy/sharded_job_test.sh PRODUCER WORKER COLLECTOR ORIGIN
set -euo pipefail

producer=$1 worker=$2 collector=$3 origin=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scripts=$here/../../deploy/kubernetes
shards=3 tasks=600
scratch=$(mktemp -d)
cd "$scratch"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$scratch"' EXIT
fail() {
  echo "sharded_job_test.sh: $*" >&2
  tail -n 5 ./*.log >&2
  exit 1
}

"$origin" >port &
for _ in {1..100}; do [[ ! -s port ]] || break; sleep 0.1; done
base=http://127.0.0.1:$(<port)
export DELAY=20
python3 "$here/job.py" write "$tasks" "$base" >urls.txt

# Sockets by name have no ports to collide on.
endpoints=()
pids=()
for ((shard = 0; shard < shards; ++shard)); do
  sh "$scripts/part.sh" urls.txt "$shard" "$shards" >"part-$shard.txt"
  "$collector" --bind "ipc://$scratch/c$shard" --output "part-$shard.ndjson" --resume 2>"c$shard.log" &
  pids+=($!)
  "$producer" --bind "ipc://$scratch/p$shard" --collector "ipc://$scratch/c$shard" \
    --input "part-$shard.txt" --resume 2>"p$shard.log" &
  pids+=($!)
  endpoints+=(--producer "ipc://$scratch/p$shard" --collector "ipc://$scratch/c$shard")
done
for i in 1 2; do
  "$worker" --concurrency 16 "${endpoints[@]}" 2>"w$i.log" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a process ended with $?"; done

parts=()
for ((shard = 0; shard < shards; ++shard)); do parts+=("part-$shard.ndjson"); done
sh "$scripts/join.sh" results.ndjson "${parts[@]}" || fail "not joined"
python3 "$here/job.py" check "$tasks" "$base" results.ndjson
