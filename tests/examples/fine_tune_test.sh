#!/usr/bin/env bash
# What was learned before helps, and the tuned network is a file again: fine_tune_test.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"

"$program" body.onnx tuned.onnx plot.svg >first
awk '/^from nothing/ { nothing = $3 } /^a new last/ { last = $5 } /^all layers/ { all = $3 }
  END { exit !(nothing > 30 && last > 40 && all > nothing) }' first || { cat first; exit 1; }
[ -s tuned.onnx ]
grep -q '</svg>' plot.svg
"$program" body.onnx >second # the file stays as it is, and gives the same bits
diff <(grep '%' first | tail -n 3) <(grep '%' second)
head -c 1000 body.onnx >cut.onnx
if "$program" cut.onnx 2>errors; then exit 1; fi
grep -q "cut.onnx" errors
echo passed
