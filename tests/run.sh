#!/usr/bin/env bash
# Builds everything and runs the tests; installs what is missing. Arguments go to ctest:
#
#     tests/run.sh -R Verdict --verbose
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
deploy/packages.sh build test
cmake --preset release -DFETCHLINE_TESTS=ON
cmake --build --preset release
status=0
jobs=$((4 * $(nproc)))  # many wait more than they compute
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$jobs" "$@" || status=$?
if ((status == 0)); then
  echo "tests/run.sh: all tests passed in $SECONDS s"
else
  echo "tests/run.sh: tests FAILED after $SECONDS s" >&2
fi
exit "$status"
