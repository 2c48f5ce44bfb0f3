#!/usr/bin/env bash
# Measures fetchline against reference loops and other programs and writes RESULTS.md: installs
# what is missing, builds, runs. --quick takes some thirteen minutes, the whole longer.
#
#     tests/bench/run.sh [--quick] [--rows 1,2,…] [--no-plot]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/bench

"$root/deploy/packages.sh" build

# One by one: whoever cannot be had is left out of the table.
install_peers() {
  local package as_root=()
  ((EUID == 0)) || as_root=(sudo)
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed && continue
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "$package" >/dev/null 2>&1 </dev/null ||
      echo "run.sh: $package cannot be installed" >&2
  done
}
if command -v dpkg-query >/dev/null; then
  install_peers libbenchmark-dev util-linux python3 curl wget2 aria2 python3-aiohttp \
    python3-requests python3-scrapy python3-celery python3-redis redis-server gnuplot-nox valgrind
fi

# Of what is built now: others may commit while it runs.
commit=$(git -C "$root" rev-parse --short HEAD)
[[ -z $(git -C "$root" status --porcelain -- producer worker collector proto deploy) ]] ||
  commit+=" with changes"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DFETCHLINE_TESTS=ON -DFETCHLINE_BENCH=ON >/dev/null
cmake --build "$build" --target fetchline fetchline-producer fetchline-worker \
  fetchline-collector bench-origin bench-loop bench-fleet bench-micro >/dev/null

ulimit -n "$(ulimit -Hn)"
exec "$here/run.py" --build "$build" --commit "$commit" "$@"
