#!/bin/sh
# Prints part I of N of a file of lines: contiguous, of about equal bytes, cut at the ends of lines.
# All parts together, in order, are the file. Seeks: a part of a terabyte costs what the part costs.
# (POSIX, for the image's small shell.)
#
#     part.sh FILE I N >part.txt        I counts from 0
set -eu

[ $# = 3 ] && [ -r "$1" ] && [ "$2" -ge 0 ] && [ "$2" -lt "$3" ] || {
  echo "usage: part.sh FILE I N, with 0 <= I < N" >&2
  exit 2
}
file=$1
size=$(stat -L -c %s "$file")

bytes_from() { dd if="$file" bs=1M iflag=skip_bytes skip="$1" 2>/dev/null; }

# Where the first line begins that begins at $1 or after it.
line_start() {
  [ "$1" -gt 0 ] || {
    echo 0
    return
  }
  echo $(($1 - 1 + $(bytes_from $(($1 - 1)) | head -n 1 | wc -c)))
}

begin=$(line_start $((size / $3 * $2 + size % $3 * $2 / $3)))
end=$(line_start $((size / $3 * ($2 + 1) + size % $3 * ($2 + 1) / $3)))
[ "$end" -gt "$begin" ] || exit 0
dd if="$file" bs=1M iflag=skip_bytes,count_bytes skip="$begin" count=$((end - begin)) 2>/dev/null
