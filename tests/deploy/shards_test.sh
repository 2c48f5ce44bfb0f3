#!/usr/bin/env bash
# deploy/kubernetes/part.sh and join.sh: the parts are the file again, the joined results are those
# of the whole, and what is damaged or missing is refused.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy/kubernetes" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
shells=(sh)
if command -v busybox >/dev/null; then shells+=("busybox sh"); fi # the image's

fail() {
  echo "shards_test.sh: $*" >&2
  exit 1
}

expect_whole() { # $1 file: cut into each number of parts, it is the same again
  local n i shell
  for shell in "${shells[@]}"; do
    for n in 1 3 20; do
      : >again
      for ((i = 0; i < n; ++i)); do
        $shell "$scripts/part.sh" "$1" "$i" "$n" >part
        cat part >>again
        # $(…) of a line's end is empty. Only the end of the file may be none.
        [[ -z $(tail -c 1 part) || $(wc -c <again) == $(wc -c <"$1") ]] ||
          fail "$1: part $i of $n ends inside a line"
      done
      cmp again "$1" || fail "$1: $n parts are not the whole ($shell)"
    done
  done
}

results() { # NAME COUNT: a part's results, and the manifest that goes with them
  python3 - "$@" <<'END'
import hashlib, json, sys
name, count = sys.argv[1], int(sys.argv[2])
data = "".join('{"index":%d,"url":"http://%s/%d","outcome":"ok","body":"{\\"index\\":7,"}\n'
               % (i, name, i) for i in range(count)).encode()
open(name, "wb").write(data)
json.dump({"job": "00", "count": count, "outcomes": {"ok": count} if count else {}, "bytes": len(data),
           "sha256": hashlib.sha256(data).hexdigest(), "format": "ndjson"},
          open(name + ".manifest.json", "w"), indent=2)
END
}

expect_joined() {
  python3 - <<'END'
import hashlib, json, sys
wanted = [(part, i) for part, count in (("a", 1200), ("b", 0), ("c", 35)) for i in range(count)]
data = open("joined", "rb").read()
records = [json.loads(line) for line in data.splitlines()]
assert [r["index"] for r in records] == list(range(len(wanted))), "indices"
assert [r["url"] for r in records] == [f"http://{p}/{i}" for p, i in wanted], "order"
assert all(r["body"] == '{"index":7,' for r in records), "bodies"
manifest = json.load(open("joined.manifest.json"))
assert manifest["count"] == len(wanted) and manifest["outcomes"] == {"ok": len(wanted)}, manifest
assert manifest["sha256"] == hashlib.sha256(data).hexdigest() and manifest["bytes"] == len(data)
END
}

expect_refused() { # WORDS PART…
  local words=$1
  shift
  rm -f joined joined.manifest.json
  ! sh "$scripts/join.sh" joined "$@" 2>said || fail "joined, where this was due: $words"
  grep -q "$words" said || fail "not refused for \"$words\" but: $(cat said)"
  ! compgen -G 'joined*' >/dev/null || fail "something is left after \"$words\""
}

seq 1000 | sed 's|.*|http://a.example/&|' >lines
printf 'no end\n\n\nof line' >short
printf '%s\n' "$(head -c 5000 /dev/zero | tr '\0' x)" a b >one_long
: >empty
for file in lines short one_long empty; do expect_whole "$file"; done

results a 1200
results b 0
results c 35
for shell in "${shells[@]}"; do
  rm -f joined joined.manifest.json
  $shell "$scripts/join.sh" joined a b c 2>/dev/null
  expect_joined
done
! sh "$scripts/join.sh" joined a 2>/dev/null || fail "wrote over what was there"

expect_refused "no manifest" a missing
sed -i 's/ok/no/' c
expect_refused "sha256 is" a c
results c 35
sed -i '/"index":20,/d' c
sed -i "s/\"sha256\": \"[0-9a-f]*\"/\"sha256\": \"$(sha256sum <c | cut -d ' ' -f 1)\"/" c.manifest.json
expect_refused "record 20 begins" a c
results c 35
sed -i 's/"count": 35/"count": 36/' c.manifest.json
expect_refused "35 records, the manifest says 36" a c
echo "shards_test.sh: parts are the whole, joins are exact or refused"
