#!/usr/bin/env bash
# What deploy/run.sh shows: that it is exact, leaves nothing behind, and fails when a stage does.
#
#     tests/deploy/demonstration_test.sh FETCHLINE ORIGIN
set -euo pipefail

fetchline=$(realpath "$1") origin=$2
demonstration=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy" && pwd)/demonstration.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tmp"
export TMPDIR=$scratch/tmp
fail() {
  echo "demonstration_test.sh: $*" >&2
  cat "$scratch/out" "$scratch/err" >&2
  exit 1
}
demonstrate() { "$demonstration" "$@" >"$scratch/out" 2>"$scratch/err"; }
says() { grep -qxF -- "$1" "$scratch/out" || fail "not said: $1"; }
expect_nothing_left() { [[ -z $(ls -A "$TMPDIR") ]] || fail "left behind: $(ls -A "$TMPDIR")"; }

demonstrate "$fetchline" "$origin" || fail "ended with $?"
says '  "count": 1000,'
says 'index.ndjson       10 records: /index0 … /index9'
says 'pages.ndjson      200 records: /index0/0 … /index9/19'
says 'images.ndjson    1000 records: /index0/0/0 … /index9/19/4'
expect_nothing_left

# A stage of the chain that does not start.
cat >"$scratch/fetchline" <<END
#!/bin/sh
case \$* in *"-q --listen"*) exit 3 ;; *"--listen"*) exit 0 ;; *"--next"*) exit 0 ;; esac
exec $fetchline "\$@"
END
chmod +x "$scratch/fetchline"
code=0
demonstrate "$scratch/fetchline" "$origin" || code=$?
((code == 3)) || fail "ended with $code when a stage ended with 3"
expect_nothing_left
