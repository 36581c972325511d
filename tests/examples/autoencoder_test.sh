#!/usr/bin/env bash
# The bound gets better, and the sheet has ink and paper: autoencoder_test.sh PROGRAM
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
"$1" "$work/sheet.pgm" 3 >"$work/out"
awk '/^epoch/ { n++; if (n == 1) first = $4; last = $4 } END { exit !(n == 3 && last > 0 && last < 0.95 * first) }' "$work/out" ||
  { cat "$work/out"; exit 1; }
[ "$(head -n 2 "$work/sheet.pgm" | tail -n 1)" = "336 336" ]
tail -c 112896 "$work/sheet.pgm" | od -An -v -tu1 | tr -s ' ' '\n' |
  awk 'NF { if ($1 > 128) ink++; if ($1 < 50) paper++ } END { exit !(ink > 1000 && paper > 50000) }'
if "$1" "$work/sheet.pgm" 0 2>"$work/errors"; then exit 1; fi
grep -q "usage: autoencoder" "$work/errors"
echo passed
