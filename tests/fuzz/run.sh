#!/usr/bin/env bash
# Builds the fuzz targets and runs each: first over its corpus and over what was found before, then
# for so many seconds on. Ends at the first input that a target fails for, and says where that is.
#
#     tests/fuzz/run.sh [seconds a target, 10] [targets…]
#
# What libFuzzer finds worth keeping stays in build/fuzz/found; with it the next run begins. The
# corpus is what covers the same edges with few files, found with -set_cover_merge=1 -use_counters=0.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1-10}
shift || true
cmake --preset fuzz
cmake --build --preset fuzz
echo "tests/fuzz/run.sh: built in $SECONDS s"

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=16
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

targets=("$@")
if ((${#targets[@]} == 0)); then
  for source in tests/fuzz/*.cc; do targets+=("$(basename "$source" .cc)"); done
fi

# Events come a few bytes each: a long input is a long story, slow and not better than a short one.
most_bytes() {
  case $1 in
    journal) echo 150 ;;
    *_core) echo 400 ;;
    *) echo 8192 ;;
  esac
}

fuzz() {
  local target=$1 seconds=$2
  local program=build/fuzz/tests/fuzz/fuzz_$target log=build/fuzz/$target.log
  local found=build/fuzz/found/$target failures=build/fuzz/failures/$target
  local known=() path
  mkdir -p "$found" "$failures"
  for path in "tests/fuzz/corpus/$target" "tests/fuzz/regressions/$target"; do
    if [[ -d $path ]]; then known+=("$path"); fi
  done
  # More patience than a sanitizer build on a busy machine needs.
  if ! timeout $((seconds + 120)) "$program" "$found" "${known[@]}" -max_total_time="$seconds" \
    -max_len="$(most_bytes "$target")" -len_control=20 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$failures/" >"$log" 2>&1 </dev/null; then
    tail -n 60 "$log" >&2
    echo "tests/fuzz/run.sh: $target FAILED; to see it again:" \
      "$program $(sed -n 's/^artifact_prefix=.*Test unit written to //p' "$log")" >&2
    return 255  # no other is begun
  fi
  echo "$target: $(grep -o 'DONE.*' "$log" | tr -s ' \t' ' ')"
}
export -f fuzz most_bytes

printf '%s\n' "${targets[@]}" |
  xargs -P "$(nproc)" -I '{}' bash -euo pipefail -c 'fuzz "$@"' fuzz '{}' "$seconds"
echo "tests/fuzz/run.sh: ${#targets[@]} targets without a fault in $SECONDS s"
