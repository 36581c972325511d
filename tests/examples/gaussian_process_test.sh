#!/usr/bin/env bash
# The process finds the noise, and knows where it knows nothing: gaussian_process_test.sh PROGRAM
# The dollars in quotes are those of awk.
# shellcheck disable=SC2016
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
output=$("$1" "$work/gp.svg")

holds() { # holds WORDS PROGRAM: of awk, which ends with status 0
  awk "$2" <<<"$output" || {
    printf '%s does not hold, in:\n%s\n' "$1" "$output"
    exit 1
  }
}

holds "the likelihood rises" '/^start/ { start = $NF } /^L-BFGS/ { end = $NF } END { exit !(end > start + 1) }'
holds "the noise is found" '/^L-BFGS/ { found = $4 > 0.1 && $4 < 0.3 } END { exit !found }'
holds "the truth lies within three standard deviations" \
  '$3 == "±" { n++; if (($2 - $5) ^ 2 > 9 * $4 ^ 2) bad = 1 } END { exit bad || n != 9 }'
holds "far from all points there is the prior" \
  '/^L-BFGS/ { signal = $3 } $1 == "-5.0" { found = ($4 - signal) ^ 2 < 1e-4 } END { exit !found }'
grep -q '</svg>' "$work/gp.svg"
echo passed
