#!/usr/bin/env bash
# What adam_by_hand prints, against arithmetic by hand: adam_by_hand_test.sh PROGRAM
set -euo pipefail
output=$("$1")

expect() { # expect LINE: it is printed, with any number of spaces between the numbers
  tr -s ' ' <<<"$output" | grep -qxF -- "$1" || {
    printf 'missing: %s\nin:\n%s\n' "$1" "$output"
    exit 1
  }
}

expect ' t g m v m_hat v_hat step theta after'
expect ' t g m u m_hat step theta after'
expect ' u = max(beta2 u, |g|) infinity norm; it is right from the first step on' # the paper's, without eps

# Adam, t = 1: g = 2 (0 - 3) = -6, m = 0.1 (-6) = -0.6, v = 0.001 * 36 = 0.036, m_hat = -0.6 / 0.1 = -6,
# v_hat = 0.036 / 0.001 = 36, step = 0.5 (-6) / 6 = -0.5, theta = 0 + 0.5.
expect ' 1 -6.000000 -0.600000 0.036000 -6.000000 36.000000 -0.500000 0.500000'
# t = 2: g = 2 (0.5 - 3) = -5, m = 0.9 (-0.6) + 0.1 (-5) = -1.04, v = 0.999 * 0.036 + 0.001 * 25 = 0.060964,
# m_hat = -1.04 / (1 - 0.81) = -5.473684, v_hat = 0.060964 / (1 - 0.998001) = 30.497249, whose root is 5.522431,
# step = 0.5 (-5.473684) / 5.522431 = -0.495586, theta = 0.5 + 0.495586.
expect ' 2 -5.000000 -1.040000 0.060964 -5.473684 30.497249 -0.495586 0.995586'

# AdaMax, t = 1: u = max(0, 6) = 6, m_hat = -6, step = 0.5 (-6) / 6 = -0.5.
expect ' 1 -6.000000 -0.600000 6.000000 -6.000000 -0.500000 0.500000'
# t = 2: u = max(0.999 * 6, 5) = 5.994, step = 0.5 (-5.473684) / 5.994 = -0.456597, theta = 0.5 + 0.456597.
expect ' 2 -5.000000 -1.040000 5.994000 -5.473684 -0.456597 0.956597'
# t = 3: g = 2 (0.956597 - 3) = -4.086806, m = 0.9 (-1.04) + 0.1 (-4.086806) = -1.3446806, u = 0.999 * 5.994 = 5.988006,
# m_hat = -1.3446806 / (1 - 0.729) = -4.961921, step = 0.5 (-4.961921) / 5.988006 = -0.414322.
expect ' 3 -4.086806 -1.344681 5.988006 -4.961921 -0.414322 1.370919'

[ "$(grep -c '^10 ' <<<"$output")" -eq 2 ]  # the tenth row of each
echo passed
