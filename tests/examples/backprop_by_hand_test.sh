#!/usr/bin/env bash
# What backprop_by_hand prints, against arithmetic by hand: backprop_by_hand_test.sh PROGRAM
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
output=$("$1" "$work/graph.dot")

expect() { # expect LINE: it is printed, with any number of spaces between the words
  tr -s ' ' <<<"$output" | grep -qxF -- " $1" || {
    printf 'missing: %s\nin:\n%s\n' "$1" "$output"
    exit 1
  }
}
drawn() { # drawn TEXT
  grep -qF -- "$1" "$work/graph.dot" || {
    printf 'missing in the graph: %s\n' "$1"
    exit 1
  }
}

# x = 2, w1 = 0.5, w2 = -1, v1 = 1.5, v2 = 3, b = -1.
# Forwards: z1 = 0.5 * 2, z2 = -1 * 2, h1 = 1, h2 = 0 since z2 is negative, y = 1.5 * 1 + 3 * 0 - 1, loss = (0.5 - 1)^2.
expect 'z1 = multiply(w1, x) = 1'
expect 'z2 = multiply(w2, x) = -2'
expect 'h1 = relu(z1) = 1'
expect 'h2 = relu(z2) = 0'
expect 'y = add(p, b) = 0.5'
expect 'e = subtract(y, 1) = -0.5'
expect 'loss = square(e) = 0.25'
# Backwards: d loss / d e = 2 e = 2 (-0.5), and so for y, b, p, p1 and p2, which only add up.
expect 'loss : 1'
expect 'e : 1 [loss] * -1 = -1'
expect 'y : -1 [e] * 1 = -1'
expect 'b : -1 [y] * 1 = -1'
expect 'p2 : -1 [p] * 1 = -1'
# A product's derivative by one factor is the other. By v1 that is h1 = 1, by v2 h2 = 0, by h1 v1 = 1.5, by h2 v2 = 3.
expect 'v1 : -1 [p1] * 1 = -1'
expect 'v2 : -1 [p2] * 0 = 0'
expect 'h1 : -1 [p1] * 1.5 = -1.5'
expect 'h2 : -1 [p2] * 3 = -3'
# relu's derivative is 1 where its input is positive, and else 0.
expect 'z1 : -1.5 [h1] * 1 = -1.5'
expect 'z2 : -3 [h2] * 0 = 0'
# By w1 and w2 it is x = 2; x is in both products, and has both parts: -1.5 * 0.5 + 0 * -1.
expect 'w1 : -1.5 [z1] * 2 = -3'
expect 'w2 : 0 [z2] * 2 = 0'
expect 'x : -1.5 [z1] * 0.5 + 0 [z2] * -1 = -0.75'
# The step: w1 = 0.5 + 0.05 * 3, v1 = 1.5 + 0.05, b = -1 + 0.05. Then h1 = 1.3, y = 1.55 * 1.3 - 0.95 = 1.065.
expect 'w1 : 0.65'
expect 'w2 : -1'
expect 'v1 : 1.55'
expect 'b : -0.95'
expect 'loss : 0.004225'

# The graph has the values from before the step, and a derivative at each arrow but those from constants.
drawn 'w1 [label="w1|0.5|-3"'
drawn 'h2 [label="h2 = relu|0|-3"'
drawn 'loss [label="loss = square|0.25|1"'
drawn 'x -> z1 [label="0.5"]'
drawn 'h2 -> p2 [label="3"]'
drawn '1 -> e [label=""]'
if command -v dot >/dev/null; then
  dot -Tsvg "$work/graph.dot" | grep -q '</svg>'
fi
"$1" "$work/none/graph.dot" >/dev/null 2>"$work/error" && exit 1
grep -q "cannot write $work/none/graph.dot" "$work/error"
echo passed
