#!/usr/bin/env bash
# The network comes near the exact solution: heat_equation_test.sh PROGRAM
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
"$1" "$work/heat.svg" >"$work/out"
awk '/^step/ { n++; error = $NF } END { exit !(n == 4 && error > 0 && error < 0.01) }' "$work/out" || { cat "$work/out"; exit 1; }
grep -q '</svg>' "$work/heat.svg"
echo passed
