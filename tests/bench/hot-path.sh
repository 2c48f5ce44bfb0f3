#!/usr/bin/env bash
# Counts fetchline's instructions a URL with callgrind: free of the noise of clocks, so that a
# regression shows. Adds a line to HOTPATH.md and renews what stands below it.
#
#     tests/bench/hot-path.sh [BUILD [COMMIT]]
#
# BUILD: a Release build with -DFETCHLINE_BENCH=ON; COMMIT: what it was built from, else HEAD.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:-$here/../../build/bench}
commit=${2:-$(git -C "$here" rev-parse --short HEAD)}
port=${PORT:-18090}
# What starting and ending cost goes away by subtracting a short run from a long one.
short=500
long=2500

scratch=$(mktemp -d)
clean_up() {
  [[ -z ${origin:-} ]] || kill "$origin" 2>/dev/null || true
  rm -rf "$scratch"
}
trap clean_up EXIT

"$build/tests/bench/bench-origin" --port "$port" --size 1024 &
origin=$!

count() {
  local urls=$1
  mkdir "$scratch/$urls"
  seq -f "http://127.0.0.1:$port/p/%.0f" "$urls" >"$scratch/$urls/urls"
  valgrind --tool=callgrind --separate-threads=yes \
    --callgrind-out-file="$scratch/$urls/callgrind.out" --log-file="$scratch/$urls/log" \
    "$build/deploy/local/fetchline" -q --threads 1 -j 64 \
    -i "$scratch/$urls/urls" -o "$scratch/$urls/records" || {
    cat "$scratch/$urls/log" >&2
    exit 1
  }
}
count "$short"
count "$long"
"$here/hot_path.py" "$scratch/$short" "$scratch/$long" $((long - short)) "$commit" \
  "$here/HOTPATH.md"
