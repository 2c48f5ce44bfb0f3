#!/bin/sh
# Joins the results of the parts of one input: OUTPUT gets the records of all of them, in the order
# of the input, with the index that they have there, and a manifest. Refuses a part that is not
# complete (no manifest), whose bytes are not those of its manifest (sha256), or whose records are
# not 0, 1, 2 … as many as the manifest says. OUTPUT appears, by rename, when all is well; the
# manifest after it. (POSIX, for the image's small shell.)
#
#     join.sh OUTPUT PART0 PART1 …      in the order of the input
set -eu

fail() {
  echo "join.sh: $*" >&2
  exit 1
}

[ $# -ge 2 ] || {
  echo "usage: join.sh OUTPUT PART…, the parts in the order of the input" >&2
  exit 2
}
output=$1
shift
[ ! -e "$output" ] || fail "$output exists"
trap 'rm -f "$output.tmp" "$output.counts"' EXIT
: >"$output.tmp"
: >"$output.counts"

field() { # a number or a text at the manifest's first level
  sed -n "s/^  \"$2\": \"\\{0,1\\}\\([^\",]*\\)\"\\{0,1\\},\\{0,1\\}\$/\\1/p" "$1"
}

counts() { # "outcome count" lines
  sed -n '/^  "outcomes"/,/}/ s/^    "\([a-z_]*\)": \([0-9]*\),\{0,1\}$/\1 \2/p' "$1"
}

# The index is what a record begins with. %.0f, because some awks' %d ends at 2^31.
renumber() { # $1 part, $2 the index of its first record, $3 its count
  awk -v first="$2" -v count="$3" '
    {
      comma = index($0, ",")
      if (substr($0, 1, comma - 1) != "{\"index\":" sprintf("%.0f", NR - 1)) {
        printf "record %.0f begins: %s\n", NR - 1, substr($0, 1, 40) >"/dev/stderr"
        exit 1
      }
      printf "{\"index\":%.0f%s\n", first + NR - 1, substr($0, comma)
    }
    END {
      if (NR != count) {
        printf "%.0f records, the manifest says %s\n", NR, count >"/dev/stderr"
        exit 1
      }
    }' "$1"
}

total=0
for part in "$@"; do
  manifest=$part.manifest.json
  [ -e "$manifest" ] || fail "$part: no manifest: it is not complete"
  count=$(field "$manifest" count)
  wanted=$(field "$manifest" sha256)
  [ -n "$count" ] && [ -n "$wanted" ] || fail "$manifest: no count or no sha256 in it"
  found=$(sha256sum <"$part" | cut -d ' ' -f 1)
  [ "$found" = "$wanted" ] || fail "$part: sha256 is $found, the manifest says $wanted"
  renumber "$part" "$total" "$count" >>"$output.tmp" || fail "$part: its records are not in order"
  counts "$manifest" >>"$output.counts"
  total=$((total + count))
  echo "$part: $count records, $total in all" >&2
done

sum=$(sha256sum <"$output.tmp" | cut -d ' ' -f 1)
bytes=$(wc -c <"$output.tmp")
outcomes=$(awk '{ count[$1] += $2 }
                END { for (o in count) printf "%s\n    \"%s\": %.0f", (n++ ? "," : ""), o, count[o] }' \
  "$output.counts")
cat >"$output.manifest.json.tmp" <<END
{
  "count": $total,
  "outcomes": {$outcomes
  },
  "bytes": $bytes,
  "sha256": "$sum",
  "format": "ndjson",
  "output": "$(basename "$output")",
  "parts": $#
}
END
sync
mv "$output.tmp" "$output"
mv "$output.manifest.json.tmp" "$output.manifest.json"
