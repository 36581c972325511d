#!/usr/bin/env bash
# The lab as a program: lab_test.sh LAB. Two whole pages from the same seed, read in a browser; and what it refuses.
set -euo pipefail
lab=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "lab_test: $*" >&2
  exit 1
}

refused() { # refused STATUS "WORDS OF THE ERROR" OPTIONS...
  local status=0 wanted=$1 words=$2
  shift 2
  "$lab" "$@" >out 2>err </dev/null || status=$?
  [ "$status" -eq "$wanted" ] || fail "lab $*: exit status $status, expected $wanted"
  grep -qF -- "$words" err || fail "lab $*: expected \"$words\", got: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "lab $*: expected one line, got: $(cat err)"
}
refused 2 'got "rase"; did you mean race?' --sections rase
refused 2 "--sections: expected some of step,race" --sections ,
refused 2 "there is no folder $work/none" --output none/page.html
refused 2 "--seed: 'one' is not a whole number" --seed one
refused 2 "--quik" --quik
refused 1 "none" --data none
[ -z "$(find . -name '*.html')" ] || fail "a refused command has left a page"
"$lab" --help | grep -q "curvature" || fail "--help does not list the sections"

mkdir one two
for page in one two; do
  start=$SECONDS
  "$lab" --quick --output $page/lab.html 2>$page/log
  echo "lab --quick: $((SECONDS - start)) s"
done
"$lab" --quick --sections step --seed 2 --output other.html 2>log
"$lab" --quick --sections step --seed 1 --output same.html 2>log
cmp -s other.html same.html && fail "two seeds give the same page"

/usr/bin/python3 - <<'PYTHON'
import pathlib, re, sys
def parts(folder):
    """The page without times, and the numbers of what has none."""
    page = pathlib.Path(folder, "lab.html").read_text()
    timed = r'<(figure|td|p)\b[^>]*\bdata-measured\b[^>]*>.*?</\1>'
    timed_files = set()
    for block in re.findall(r"<table>.*?</table>|<figure.*?</figure>", page, re.S):
        if "data-measured" in block:
            timed_files.update(re.findall(r'href="([^"]*\.csv)"', block))
    files = {path.name: path.read_text() for path in pathlib.Path(folder, "lab_csv").iterdir()
             if f"lab_csv/{path.name}" not in timed_files}
    return re.sub(timed, "", page, flags=re.S), files
(page, files), (page2, files2) = parts("one"), parts("two")
if page != page2:
    at = next(i for i, (a, b) in enumerate(zip(page, page2)) if a != b)
    sys.exit(f"lab_test: the same seed gives another page: {page[at - 200:at + 60]!r} and {page2[at - 60:at + 60]!r}")
for name in files.keys() | files2.keys():
    if files.get(name) != files2.get(name):
        sys.exit(f"lab_test: the same seed gives other numbers in {name}")
if len(files) < 20:
    sys.exit(f"lab_test: only {len(files)} files of numbers")
PYTHON
/usr/bin/python3 "$here/lab_page_test.py" one/lab.html
