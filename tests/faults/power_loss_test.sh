#!/usr/bin/env bash
# Whether a file survives a loss of power, by the calls that make it, in their order: power_loss_test.sh SAVE TRAIN
# SAVE, called with "save FILE", saves once. What is looked for, of each file that is replaced: a new file in the same
# folder (O_EXCL), every write to that one, its fsync after the last of them, the rename, and the folder's fsync. Nothing
# is ever written to the file itself. Status 77, which is not counted, where strace is missing or may not trace.
set -uo pipefail
save=$1 train=$2
work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf -- "$work"' EXIT
failures=0

if ! command -v strace >/dev/null; then
  echo "skipped: there is no strace (on Debian: apt-get install strace, or run bash cmake/setup.sh test)"
  exit 77
fi
if ! strace -o "$work/trial" true 2>"$work/err"; then
  echo "skipped: strace may not trace here: $(tail -n 1 "$work/err")"
  exit 77
fi
rm "$work/trial"

# The calls of one thread, as strace -y writes them, against the order above. Prints what is wrong, or how many files
# have taken the place of FILE, with how many bytes.
in_order() { # in_order FILE <CALLS
  awk -v file="$1" '
    function wrong(what) { print "line " NR ", " $0 ": " what; bad = 1; exit 1 }
    function quoted(number,  parts) { split($0, parts, "\""); return parts[2 * number] }
    function result() { return $NF }
    BEGIN { folder = file; sub(/\/[^\/]*$/, "", folder); state = "none" }
    / = -1 E/ { next }  # has done nothing
    { call = $0; sub(/\(.*/, "", call); on = ""; if (match($0, /^[a-z0-9_]*\([0-9]+<[^>]*>/)) { on = $0; sub(/^[^<]*</, "", on); sub(/>.*/, "", on) } }
    call ~ /^(open|openat|openat2|creat)$/ {
      path = quoted(1)
      if (path !~ /^\//) path = folder "/" path
      if (path == file && (call == "creat" || /O_WRONLY|O_RDWR/)) wrong("the file itself is opened to be written")
      if (index(path, folder "/") == 1 && /O_CREAT/) {
        parent = path; sub(/\/[^\/]*$/, "", parent)
        if (index(path, file ".") != 1 || parent != folder || path !~ /\.unfinished$/) next  # of another file, or a lock
        if (!/O_EXCL/) wrong("a file that is there already would be taken")
        if (state != "none") wrong("a second file, before the first one is in its place")
        fresh = path; state = "open"; bytes = 0
      }
      next
    }
    call ~ /^(write|pwrite64|writev|pwritev|pwritev2|ftruncate)$/ {
      if (on == file) wrong("the file itself is written to")
      if (state == "open" && on == fresh) { if (call != "ftruncate") bytes += result(); dirty = 1 }
      else if (on == fresh) wrong("written after its fsync")
      next
    }
    call ~ /^(fsync|fdatasync)$/ {
      if (state == "open" && on == fresh) state = "synced"
      if (state == "renamed" && on == folder) { state = "none"; done++; sizes = sizes " " bytes }
      next
    }
    call ~ /^rename/ {
      from = quoted(1); to = quoted(2)
      if (from !~ /^\//) from = folder "/" from
      if (to !~ /^\//) to = folder "/" to
      if (to != file) next
      if (from != fresh) wrong("another file takes its place")
      if (state != "synced") wrong("renamed without an fsync")
      state = "renamed"; fresh = ""
      next
    }
    call ~ /^unlink/ {
      path = quoted(1)
      if (path !~ /^\//) path = folder "/" path
      if (path == file) wrong("the file is removed")
      if (path == fresh) { state = "none"; fresh = "" }  # a trial, or given up
    }
    END {
      if (bad) exit 1
      if (state != "none") { print "at the end: " state ", and nothing after it"; exit 1 }
      print done + 0 " files, of" sizes " bytes"
    }'
}

# A file for each thread: one of them makes the file, and the lines of others do not come between.
calls=openat,open,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,sendfile,copy_file_range,mmap
expect() { # expect WHAT FILES FILE COMMAND…: the command replaces FILE so many times
  local what=$1 files=$2 file=$3 report seen='' thread
  shift 3
  rm -f "$work"/calls.*
  if ! strace -ff -y -s 0 -e "trace=$calls" -o "$work/calls" "$@" >"$work/out" 2>"$work/err" </dev/null; then
    echo "FAILED: $what: the program failed: $(tail -n 1 "$work/err")"
    failures=$((failures + 1))
    return
  fi
  for thread in "$work"/calls.*; do
    # What is written by other means is not seen in the order.
    if grep -F "$file" "$thread" | grep -E '^(sendfile|copy_file_range)|MAP_SHARED.*PROT_WRITE|PROT_WRITE.*MAP_SHARED'; then
      report="it is written in another way"
    else
      report=$(in_order "$file" <"$thread")
    fi
    [[ $report == "0 files"* ]] || seen+="$report; "
  done
  if [[ $seen =~ ^([0-9]+)\ files,\ of([\ 0-9]+)\ bytes\;\ $ ]] && [ "${BASH_REMATCH[1]}" -eq "$files" ] &&
    [ "${BASH_REMATCH[2]##* }" -eq "$(stat -c %s "$file")" ]; then
    echo "$what: $seen"
  else
    echo "FAILED: $what: expected $files in order, got: ${seen:-none}"
    failures=$((failures + 1))
  fi
}

mkdir "$work/here"
cd "$work/here" || exit 1
expect "a new file" 1 "$work/here/saved" "$save" save "$work/here/saved"
expect "a file that is replaced" 1 "$work/here/saved" "$save" save saved
small=(--samples 640 --optimizer adam --hidden none --epochs 2)
expect "a training's checkpoints" 3 "$work/here/run" "$train" "${small[@]}" --checkpoint run --checkpoint-every 15
mkdir there && echo old >there/linked
ln -s there/linked link
expect "the file that a link leads to" 1 "$work/here/there/linked" "$save" save link

echo "power_loss_test: $failures failures"
[ "$failures" -eq 0 ]
