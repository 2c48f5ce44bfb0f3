#!/usr/bin/env bash
# Looks at the live page with a browser: see live_page_test.js. Gets playwright-core from npm where
# there is a chromium; exit code 77: skipped.
#
#     tests/deploy/live_page_test.sh FETCHLINE DIRECTORY     keeps packages and screenshots there
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$1
cache=$2
package=playwright-core@1.48.2

skip() {
  echo "live_page_test.sh: skipped: $*"
  exit 77
}

command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
  skip "no chromium"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node and npm"
mkdir -p "$cache"
if [[ $(cat "$cache/installed" 2>/dev/null) != "$package" ]]; then
  timeout 60 npm install --prefix "$cache" --no-save --no-audit --no-fund --loglevel=error \
    "$package" >"$cache/log" 2>&1 || skip "npm cannot get $package: $(tail -n 1 "$cache/log")"
  echo "$package" >"$cache/installed"
fi
NODE_PATH=$cache/node_modules node "$here/live_page_test.js" "$program" "$cache"
