#!/usr/bin/env bash
# The fit finds the truth, to within its own standard errors: fit_curve_test.sh PROGRAM
# The dollars in quotes are those of awk.
# shellcheck disable=SC2016
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
output=$("$1" "$work/fit.svg")

holds() { # holds WORDS PROGRAM: of awk, which ends with status 0
  awk "$2" <<<"$output" || {
    printf '%s does not hold, in:\n%s\n' "$1" "$output"
    exit 1
  }
}

holds "five parameters lie within three standard errors of the truth" \
  '$NF == "errors" && $(NF - 1) ^ 2 < 9 { n++ } END { exit n != 5 }'
holds "the noise is found" '/^noise/ { found = $2 > 0.15 && $2 < 0.25 } END { exit !found }'
holds "each correlation with itself is 1, and no other is" \
  '/^correlation/ { on = 1; next } /^plot/ { on = 0 } on && NF > 1 { n++; if ($NF != 1) bad = 1
     for (i = NF - 1; i > 0; i--) if ($i ~ /^-?[0-9]/ && $i ^ 2 >= 1) bad = 1 } END { exit bad || n != 5 }'
grep -q '</svg>' "$work/fit.svg"
echo passed
