#!/usr/bin/env bash
# The Debian package, for real: made by cpack, installed in a bare Debian, used, removed; nothing of
# it may be left. Needs what deploy/container/engine.sh needs (root, Debian 12), and builds the
# programs when they are not built.
#
#     tests/deploy/package_test.sh
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build/release
scratch=$(mktemp -d)

fail() {
  echo "package_test.sh: FAILED: $*" >&2
  exit 1
}

clean_up() {
  [[ -z ${origin:-} ]] || kill "$origin" 2>/dev/null || true
  rm -rf "$scratch"
}

start_origin() {
  "$build/tests/origin/fetchline-origin" >"$scratch/port" &
  origin=$!
  for _ in {1..100}; do
    [[ ! -s $scratch/port ]] || return 0
    sleep 0.1
  done
  fail "the origin did not start"
}

trap clean_up EXIT
trap 'exit 130' INT TERM
"$root/deploy/container/engine.sh"
export CONTAINERS_CONF=/run/fetchline-engine/containers.conf
package=$("$root/tests/deploy/make_package.sh" "$scratch/deb")
echo "package_test.sh: $SECONDS s: $(basename "$package"), $(($(stat -c %s "$package") / 1000)) kB"
start_origin
base=http://127.0.0.1:$(<"$scratch/port")
DELAY=20 python3 "$root/tests/deploy/job.py" write 500 "$base" >"$scratch/urls.txt"
mkdir -m 777 "$scratch/out"
cp "$root/tests/deploy/installed_test.sh" "$package" "$scratch/urls.txt" "$scratch/out"
# The host's network, because the origin listens on this machine's loopback.
podman run --rm --network host -v "$scratch/out:/test" docker.io/library/debian:bookworm-slim \
  bash /test/installed_test.sh "$(basename "$package")" || fail "see above"
for output in one.ndjson fleet.ndjson; do
  DELAY=20 python3 "$root/tests/deploy/job.py" check 500 "$base" "$scratch/out/$output"
done
echo "package_test.sh: passed in $SECONDS s"
