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
drawn() { # drawn "NAME|VALUE|GRADIENT"
  grep -qF "label=\"$1\"" "$work/graph.dot" || {
    printf 'missing in the graph: %s\n' "$1"
    exit 1
  }
}

# x = 2, w1 = 0.5, w2 = -1, v1 = 1.5, v2 = 3, b = -1.
# Forwards: z1 = 0.5 * 2, z2 = -1 * 2, h1 = 1, h2 = 0 since z2 is negative, y = 1.5 * 1 + 3 * 0 - 1, loss = (0.5 - 1)^2.
expect 'z1 = multiply(w1, x) 1'
expect 'z2 = multiply(w2, x) -2'
expect 'h1 = relu(z1) 1'
expect 'h2 = relu(z2) 0'
expect 'y = add(p, b) 0.5'
expect 'e = subtract(y, 1) -0.5'
expect 'loss = sum(sq) 0.25'
# Backwards: d loss / d y = 2 (y - 1) = -1, and so for b, p, p1 and p2.
expect 'd loss / d y -1'
expect 'd loss / d b -1'
# v1: -1 * h1 = -1. v2: -1 * h2 = 0. h1: -1 * v1 = -1.5. h2: -1 * v2 = -3.
expect 'd loss / d v1 -1'
expect 'd loss / d v2 0'
expect 'd loss / d h1 -1.5'
expect 'd loss / d h2 -3'
# relu lets -1.5 through to z1, where z1 > 0, and nothing to z2. w1: -1.5 * x = -3. w2: 0.
expect 'd loss / d z1 -1.5'
expect 'd loss / d z2 0'
expect 'd loss / d w1 -3'
expect 'd loss / d w2 0'
# x, over both ways: -1.5 * w1 + 0 * w2 = -0.75.
expect 'd loss / d x -0.75'
# The step: w1 = 0.5 + 0.05 * 3, v1 = 1.5 + 0.05, b = -1 + 0.05. Then h1 = 1.3, y = 1.55 * 1.3 - 0.95 = 1.065.
expect 'w1 0.65'
expect 'v1 1.55'
expect 'b -0.95'
expect 'loss 0.004225'

# The graph has the values from before the step.
drawn 'w1|0.5|-3'
drawn 'h2 = relu|0|-3'
drawn 'loss = sum|0.25|1'
if command -v dot >/dev/null; then
  dot -Tsvg "$work/graph.dot" | grep -q '</svg>'
fi
"$1" "$work/none/graph.dot" >/dev/null 2>"$work/error" && exit 1
grep -q "cannot write $work/none/graph.dot" "$work/error"
echo passed
