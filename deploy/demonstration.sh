#!/usr/bin/env bash
# Shows what fetchline does, offline, in some seconds: a list of URLs, then a chain of three stages.
# deploy/run.sh builds the programs and runs this.
#
#     deploy/demonstration.sh FETCHLINE ORIGIN
set -euo pipefail

fetchline=$(realpath "$1")
origin=$(realpath "$2")

clean_up() {
  local pids
  mapfile -t pids < <(jobs -p)
  kill -KILL "${pids[@]}" ${origin_pid:+"$origin_pid"} 2>/dev/null || true
  rm -rf "$scratch"
}

start_origin() {
  exec {origin_out}< <(exec "$origin")
  origin_pid=$!
  read -r -t 10 port <&"$origin_out" || {
    echo "demonstration.sh: its web server did not start" >&2
    exit 1
  }
  site=http://127.0.0.1:$port
}

# 1,000 pages: most take 0 to 300 ms, every 250th takes 2 s.
write_urls() {
  local i delay
  for ((i = 0; i < 1000; ++i)); do
    delay=$((i % 250 == 100 ? 2000 : i * 7919 % 301))
    echo "$site/page/$i?delay=$delay&size=$((i * 37 % 4000 + 100))"
  done
}

show_a_list() {
  write_urls >urls.txt
  echo "1,000 URLs of a web server on this machine, some of them slow:"
  echo "    fetchline -i urls.txt -o results.ndjson"
  "$fetchline" -i urls.txt -o results.ndjson </dev/null
  echo
  echo "results.ndjson.manifest.json, written last, says that all are there:"
  cat results.ndjson.manifest.json
  echo
  echo "results.ndjson has one record a URL, in the order of urls.txt:"
  local columns
  columns=$( (stty size </dev/tty) 2>/dev/null | cut -d ' ' -f 2) || true
  [[ ${columns:-0} -gt 20 ]] || columns=100
  head -n 5 results.ndjson | cut -c "1-$columns"
}

# 10 index pages, each a list of 20 pages, each a list of 5 images.
write_index() {
  local i images='delay%3D100%26lines%3D5%26then%3Dsize%253D2000'
  for ((i = 0; i < 10; ++i)); do
    echo "$site/index$i?delay=$((i * 100))&lines=20&then=$images"
  done
}

# A line for each stage's output: how many records, the URLs of the first and the last.
show_records() {
  local url='s/.*"url":"http:..[^/]*\([^?"]*\).*/\1/'
  printf '%-14s  %5d records: %s … %s\n' "$1" "$(wc -l <"$1")" "$(head -n 1 "$1" | sed "$url")" \
    "$(tail -n 1 "$1" | sed "$url")"
}

show_a_chain() {
  write_index >index.txt
  echo
  echo "10 pages that list pages that list images: three stages at once, each fetches what the one"
  echo "before finds (on machines of their own with tcp://HOST:PORT):"
  echo "    fetchline -i index.txt --next ipc://pages -o index.ndjson &"
  echo "    fetchline --listen ipc://pages --next ipc://images -o pages.ndjson &"
  echo "    fetchline --listen ipc://images -o images.ndjson"
  "$fetchline" -q -i index.txt --next ipc://pages -o index.ndjson &
  local first=$!
  "$fetchline" -q --listen ipc://pages --next ipc://images -o pages.ndjson </dev/null &
  local second=$!
  "$fetchline" --listen ipc://images -o images.ndjson </dev/null
  wait "$first"
  wait "$second"
  echo
  echo "Each has the order of the one before, so the images come page by page:"
  show_records index.ndjson
  show_records pages.ndjson
  show_records images.ndjson
}

scratch=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$scratch"
start_origin
show_a_list
show_a_chain
