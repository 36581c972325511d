#!/usr/bin/env bash
# The text files of the lab: lab_words_test.sh LAB_WORDS COMPILER FOLDER. What is refused, and that a name without a number
# does not compile.
set -euo pipefail
words=$1 compiler=$2 lab=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "lab_words_test: $*" >&2
  exit 1
}

refused() { # refused "WORDS OF THE ERROR" "TEXT"
  printf '%s\n' "$2" >text
  if "$words" test text header.h 2>err; then fail "expected an error of: $2"; fi
  grep -qF -- "$1" err || fail "expected \"$1\", got: $(cat err)"
}
refused "line 1: expected [name] before the first words" "words"
refused "line 1: expected [name], got [a" "[a"
refused "small letters, digits and _, got [A b]" "[A b]"
refused "line 3: there are two passages [a]" $'[a]\nwords\n[a]'
refused "[a]: expected words, got none" "[a]"
refused "[a]: expected a name between braces, got {b c" $'[a]\nof {b c} words'
refused "[a]: expected a name between braces" $'[a]\nof {b words'
if "$words" test none header.h 2>err; then fail "a file that is not there was read"; fi
grep -q "none: cannot open the file" err || fail "got: $(cat err)"

printf '%s\n' '# a remark' '[widths]' "Adam's is {adam} wide," 'SGD'"'"'s {sgd}, "both" \n {adam}.' >text
"$words" test text header.h
program() { # program "ARGUMENTS"
  printf '%s\n' '#include "header.h"' '#include <cstdio>' 'std::string lab::number_text(double, int) { return "2.5"; }' \
    "int main() { std::puts(std::string(lab::words::test_section::widths{$1}).c_str()); }" >program.cpp
  "$compiler" -std=c++20 -I "$lab" -I . program.cpp -o program 2>errors
}
program '.adam = 2.5, .sgd = 3' || fail "$(cat errors)"
[ "$(./program)" = "Adam's is 2.5 wide, SGD's 3, \"both\" \\n 2.5." ] || fail "got: $(./program)"
if program '.adam = 2.5'; then fail "a passage with a name that has no number has compiled"; fi
if program '.adam = 2.5, .lion = 1, .sgd = 3'; then fail "a number without a name in the passage has compiled"; fi

for text in "$lab"/*/words.txt; do # what nobody shows is deleted; the page's words are shown by main.cpp
  sed -n 's/^\[\(.*\)\]$/\1/p' "$text" | while read -r name; do
    section=$(dirname "$text")
    [ "$(basename "$section")" != page ] || section=$lab/main.cpp
    grep -qrE --include='*.cpp' --include='*.h' "say::$name\b" "$section" || fail "nothing shows [$name] of $text"
  done
done
