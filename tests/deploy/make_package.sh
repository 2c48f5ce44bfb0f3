#!/usr/bin/env bash
# Builds what the Debian package needs, and makes it: prints its path. For tests.
#
#     tests/deploy/make_package.sh DIRECTORY
set -euo pipefail

directory=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build/release
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
  "$@" >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    exit 1
  }
}

"$root/deploy/packages.sh" build test
if ! command -v dpkg-shlibdeps >/dev/null; then
  quietly apt-get update -q
  quietly apt-get install -q -y --no-install-recommends dpkg-dev
fi
[[ -f $build/build.ninja ]] || (cd "$root" && quietly cmake --preset release)
quietly cmake --build "$build" --target fetchline_pages fetchline-origin
(cd "$build" && quietly cpack -G DEB -B "$directory")
ls "$directory"/*.deb
