#!/usr/bin/env bash
# The network predicts rents better than a line does, and a line better than the mean: table_test.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"

"$program" flats.csv rent flats.svg >first
awk '$1 == "mean" { mean = $2 } $1 == "linear" { line = $2 } $1 == "network" { network = $2 }
  END { exit !(network > 0 && network < 0.9 * line && line < 0.5 * mean) }' first || { cat first; exit 1; }
grep -q '</svg>' flats.svg
"$program" flats.csv rent >second # the file stays as it is, and gives the same bits
diff <(grep -v 'drawn at random\|^plot' first | sed '/^$/d') <(sed '/^$/d' second)

if "$program" flats.csv price 2>errors; then exit 1; fi
grep -q "there is no column 'price'; there are area, floor, district, balcony, rent" errors
if "$program" flats.csv district 2>errors; then exit 1; fi
grep -q "line 2: 'district': expected a number" errors
if "$program" 2>errors; then exit 1; fi
grep -q "usage: table FILE.csv TARGET" errors
echo passed
