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

clean_up() {
  [[ -z ${origin_pid:-} ]] || kill "$origin_pid" 2>/dev/null || true
  rm -rf "$scratch"
}

start_origin() {
  exec {origin_out}< <(exec "$origin")
  origin_pid=$!
  read -r -t 10 port <&"$origin_out" || {
    echo "run.sh: the demonstration's web server did not start" >&2
    exit 1
  }
}

# 1,000 pages: most take 0 to 300 ms, every 250th takes 2 s.
write_urls() {
  local i delay
  for ((i = 0; i < 1000; ++i)); do
    delay=$((i % 250 == 100 ? 2000 : i * 7919 % 301))
    echo "http://127.0.0.1:$port/page/$i?delay=$delay&size=$((i * 37 % 4000 + 100))"
  done
}

demonstrate() {
  scratch=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  start_origin
  write_urls >"$scratch/urls.txt"
  echo "1,000 URLs of a web server on this machine, some of them slow:"
  echo "    fetchline -i urls.txt -o results.ndjson"
  local status=0
  "$fetchline" -i "$scratch/urls.txt" -o "$scratch/results.ndjson" </dev/null || status=$?
  ((status == 0)) || exit "$status"
  echo
  echo "results.ndjson.manifest.json, written last, says that all are there:"
  cat "$scratch/results.ndjson.manifest.json"
  echo
  echo "results.ndjson has one record a URL, in the order of urls.txt:"
  local columns
  columns=$( (stty size </dev/tty) 2>/dev/null | cut -d ' ' -f 2) || true
  [[ ${columns:-0} -gt 20 ]] || columns=100
  head -n 5 "$scratch/results.ndjson" | cut -c "1-$columns"
}

"$root/deploy/packages.sh" build test
if (($#)); then
  build_targets fetchline
  exec "$fetchline" "$@"
fi
build_targets fetchline fetchline-origin
demonstrate
