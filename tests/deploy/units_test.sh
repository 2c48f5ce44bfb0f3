#!/usr/bin/env bash
# The units, by systemd's own word: no mistakes in them, and sandboxed to 3.0 or better (0 is best).
# The programs named are put in place of those that would be installed.
#
#     tests/deploy/units_test.sh PROGRAM…
set -euo pipefail

units=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy/systemd" && pwd)
command -v systemd-analyze >/dev/null || {
  echo "units_test.sh: skipped: no systemd-analyze here"
  exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

count=0
for unit in "$units"/*.service; do
  copy=$scratch/$(basename "$unit")
  cp "$unit" "$copy"
  for program in "$@"; do
    sed -i "s|^ExecStart=$(basename "$program") |ExecStart=$program |" "$copy"
  done
  # As an instance: %i has no value in a template. What it prints is a mistake even if it ends with 0.
  said=$(systemd-analyze verify --man=no "${copy/@./@job.}" 2>&1) || true
  said=$(grep -F "$(basename "$unit" .service)" <<<"$said" || true)
  [[ -z $said ]] || {
    echo "$said" >&2
    exit 1
  }
  systemd-analyze security --offline=true --threshold=30 --no-pager "$unit" | tail -n 1
  count=$((count + 1))
done
((count == 3)) || {
  echo "units_test.sh: $count units, 3 were expected" >&2
  exit 1
}
