#!/usr/bin/env bash
# Runs fetchline from a checkout on Debian 12: installs what is missing, builds, and runs it with
# the arguments given. Without arguments it shows what fetchline does, offline, in some seconds.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/release
fetchline=$build/deploy/local/fetchline
origin=$build/tests/origin/fetchline-origin

# Silent unless it fails or takes its time.
build_targets() {
  local log
  log=$(mktemp)
  [[ -x $fetchline ]] || echo "Building fetchline, once; this takes some minutes." >&2
  if ! { { [[ -f $build/build.ninja ]] || (cd "$root" && cmake --preset release); } &&
         cmake --build "$build" --target "$@"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

"$root/deploy/packages.sh" build test
if (($#)); then
  build_targets fetchline
  exec "$fetchline" "$@"
fi
build_targets fetchline fetchline-origin
exec "$root/deploy/demonstration.sh" "$fetchline" "$origin"
