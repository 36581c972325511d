#!/usr/bin/env bash
# Both kinds learn more than how often each character comes, and write on: language_model_test.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"

for i in $(seq 400); do echo "cats and dogs: $((i % 7)), and mice: $((i % 3))."; done >text.txt
for kind in gru transformer; do
  "$program" $kind text.txt loss.svg >out
  awk '/^epoch/ { n++; bits = $3 } END { exit !(n == 20 && bits > 0 && bits < 0.6) }' out || { cat out; exit 1; }
  [ "$(grep -c 'and dogs: [0-6], and mice: [0-2]\.$' out)" -ge 5 ] || { cat out; exit 1; }
  grep -q '</svg>' loss.svg
done
if "$program" lstm 2>errors; then exit 1; fi
grep -q "usage: language_model gru|transformer" errors
printf 'a\377' >text.txt
if "$program" gru text.txt 2>errors; then exit 1; fi
grep -q "text.txt: expected UTF-8, got something else at byte 1" errors
echo passed
