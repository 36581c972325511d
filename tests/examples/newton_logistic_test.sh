#!/usr/bin/env bash
# Newton's steps converge as they do in theory: newton_logistic_test.sh PROGRAM
set -euo pipefail
output=$("$1")

norm_at() { # norm_at METHOD STEP: the norm of the gradient there
  awk -v method="$1" -v step="$2" '/:/ { here = index($0, method) == 1 } here && $1 == step { print $NF }' <<<"$output"
}

holds() { # holds WORDS CONDITION: of awk
  awk "BEGIN { exit !($2) }" || {
    printf '%s does not hold: %s\nin:\n%s\n' "$1" "$2" "$output"
    exit 1
  }
}

holds "both begin at the same point" "$(norm_at Newton 0) == $(norm_at Gradient 0)"
holds "five steps of Newton reach eight digits" "$(norm_at Newton 5) < 1e-8"
holds "the number of right digits doubles" "$(norm_at Newton 5) < $(norm_at Newton 4) ^ 1.5"
holds "five steps of gradient descent do not come near" "$(norm_at Gradient 5) > 1e-2"
echo passed
