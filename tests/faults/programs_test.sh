#!/usr/bin/env bash
# train and lab, where calls of the system fail: programs_test.sh LIBRARY PROGRAM [SAMPLES]
# SAMPLES of its writes, fsyncs, renames and allocations fail, spread over all of them (12 writes are all of train's), and
# half as many with all that come after them. Each time it must end with status 0 or 1, and with 1 it must say why; what
# was there before must be whole, or its successor; and the next start must go on from there, and leave nothing else.
set -uo pipefail
library=$1 path=$2 samples=${3:-12}
program=${path##*/}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work" || exit 1
tries=0 refused=0 failures=0

complain() {
  failures=$((failures + 1))
  printf 'FAILED: %s, with XGRAD_FAULT="%s": %s\n  exit status %s, on standard error:\n' "$program" "$fault" "$1" "$status"
  tail -n 5 err | cut -c 1-300 | sed 's/^/  /'
}

# An abort is not to leave a core file in a folder that is looked at.
ulimit -c 0

with_fault() { # with_fault COMMAND…: status, out and err
  status=0
  env LD_PRELOAD="$library" XGRAD_FAULT="$fault" "$@" >out 2>err </dev/null || status=$?
  tries=$((tries + 1))
  case $status in
    0) ;;
    1)
      refused=$((refused + 1))
      grep -q "^$program: " err || complain "it does not say why it failed"
      ;;
    *) complain "it did not end by itself" ;;
  esac
}

count() { # count COMMAND…: how many calls of each kind it makes, as counts[KIND]
  local kind number
  declare -gA counts=()
  env LD_PRELOAD="$library" XGRAD_FAULT_COUNT="$work/counts" "$@" >out 2>err </dev/null || {
    status=$? fault="" complain "it fails in peace"
    exit 1
  }
  while read -r kind number; do counts[$kind]=$number; done <"$work/counts"
  rm "$work/counts"
}

spread() { # spread KIND MOST [onwards]: so many of its calls, in steps of a random length: loops do not hide some
  local n step=$((counts[$1] / $2 + 1))
  for ((n = 1; n <= counts[$1]; n += step)); do
    printf '%s\n' "$1 $((n + RANDOM % step)) ${3:-}"
  done
}
faults() { # of a program with counts[], one a line
  local kind
  for kind in write fsync rename; do
    spread "$kind" "$samples"
    spread "$kind" "$((samples / 2))" onwards
  done
  spread allocation "$samples"
  spread allocation "$((samples / 2))" onwards
}

RANDOM=1
if [ "$program" = train ]; then
  small=("$path" --samples 640 --batch-size 64 --optimizer adam --hidden none)
  resume=("${small[@]}" --epochs 2 --checkpoint run --resume)
  outputs=(--csv run.csv --plot run.svg --report run.html)
  "${small[@]}" --epochs 1 --checkpoint one >/dev/null 2>&1 || exit 1
  "${small[@]}" --epochs 2 --checkpoint two --csv two.csv >/dev/null 2>&1 || exit 1
  mkdir folder && cd folder || exit 1

  looks_right() { # what is there after a fault, and after one more training without
    "${resume[@]}" --csv again.csv >out 2>err </dev/null || complain "the next training fails"
    cmp -s <(cut -d, -f1-5 ../two.csv) <(cut -d, -f1-5 again.csv) || complain "the next training gives other numbers"
    local name
    for name in * .[!.]*; do
      case $name in
        run | out | err | again.csv | run.csv | run.svg | run.html | '.[!.]*') ;;
        *) complain "$name is left behind" ;;
      esac
    done
    rm -f -- *
  }

  cp ../one run
  count "${resume[@]}" "${outputs[@]}"
  rm -f -- *
  while read -r fault; do
    cp ../one run
    with_fault "${resume[@]}" "${outputs[@]}"
    looks_right
  done < <(faults)
  # Without a checkpoint before: there is a whole one or none.
  for fault in "write "{1,2,3} "fsync "{1,2} "rename 1" {write,fsync,rename}" 1 onwards"; do
    with_fault "${small[@]}" --epochs 1 --checkpoint run
    if [ -e run ]; then looks_right; fi
    rm -f -- *
  done
else
  draw=("$path" --quick --sections step)
  count "${draw[@]}"
  mv lab.html whole.html
  while read -r fault; do
    rm -rf lab_csv
    echo old >lab.html
    with_fault "${draw[@]}"
    if [ "$status" -eq 0 ]; then
      cmp -s lab.html whole.html || complain "the page is another"
    else
      grep -qx old lab.html || cmp -s lab.html whole.html || complain "the page is not whole"
    fi
  done < <(faults)
  "${draw[@]}" >out 2>err </dev/null || complain "it fails in peace"
  cmp -s lab.html whole.html || complain "the page in peace is another"
  [ -z "$(find . -name '*unfinished*')" ] || complain "something is left behind"
fi

echo "of ${counts[allocation]} allocations, ${counts[write]} writes, ${counts[fsync]} fsyncs and ${counts[rename]} renames" \
  "$tries have failed, of which $refused were refused; $failures failures"
[ "$failures" -eq 0 ]
