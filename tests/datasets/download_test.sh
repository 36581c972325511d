#!/usr/bin/env bash
# Tests datasets/download.sh on local files: no network is needed.
set -uo pipefail
script=$(cd -- "$(dirname -- "$0")/../.." && pwd)/datasets/download.sh
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
passed=0 failed=0
files="train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte"

check() { # check WHAT COMMAND…
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  status %s, output: %s\n' "$what" "$status" "$output"
  fi
}
run() { # run ARGUMENT…: download.sh with the mirror and the sums of this test
  output=$(XGRAD_MIRROR=file://$work/mirror XGRAD_SHA256SUMS=$work/sums bash "$script" "$@" 2>&1)
  status=$?
}
succeeded() { [ "$status" -eq 0 ]; }
refused() { [ "$status" -ne 0 ] && [[ $output == *"download.sh: "*"$1"* ]]; }
holds() { [ "$(find "$work/$1" -mindepth 1 | wc -l)" -eq "$2" ]; }
publish() { # a fresh mirror, with the sums of the unpacked files for mnist and of the packed files for kmnist
  rm -rf "$work/mirror" && mkdir "$work/mirror" && : >"$work/sums"
  for file in $files; do
    echo "content of $file" | gzip >"$work/mirror/$file.gz"
    echo "$(gzip -dc "$work/mirror/$file.gz" | sha256sum | cut -d' ' -f1)  mnist/$file" >>"$work/sums"
    echo "$(sha256sum <"$work/mirror/$file.gz" | cut -d' ' -f1)  kmnist/$file.gz" >>"$work/sums"
  done
}

publish
run
check "no arguments" refused "expected a name and a folder"
run mnist
check "one argument" refused "expected a name and a folder"
run cifar "$work/out"
check "an unknown name" refused "unknown name 'cifar'"
check "an unknown name makes no folder" [ ! -e "$work/out" ]

for name in mnist kmnist; do
  run "$name" "$work/a folder/$name"
  check "$name is fetched" succeeded
  check "$name has its four files and nothing else" holds "a folder/$name" 4
  check "$name has the bytes of the mirror" diff -r "$work/mirror" "$work/a folder/$name"
done

mv "$work/mirror" "$work/gone"
run mnist "$work/a folder/mnist"
check "good files are kept, and not fetched again" succeeded
check "they are named" [ "$(grep -c 'there already' <<<"$output")" -eq 4 ]
run mnist "$work/without mirror"
check "a mirror that does not answer" refused "could not fetch file://$work/mirror/train-images-idx3-ubyte.gz"
check "it leaves nothing behind" holds "without mirror" 0

publish
rm "$work/mirror/t10k-labels-idx1-ubyte.gz"
run mnist "$work/missing"
check "a file that is missing from the mirror" refused "could not fetch"
check "the three good files stay, and no partial one" holds missing 3

for name in mnist kmnist; do
  publish
  echo "other content" | gzip >"$work/mirror/train-images-idx3-ubyte.gz"
  run "$name" "$work/other-$name"
  check "another content of $name" refused "SHA-256 is"
  check "it leaves nothing behind" holds "other-$name" 0
done

publish
echo "<html>not found</html>" >"$work/mirror/train-images-idx3-ubyte.gz"
run mnist "$work/page"
check "a web page in place of a file" refused "not a whole gzip file"
check "it leaves nothing behind" holds page 0

publish
head -c 20 "$work/mirror/train-images-idx3-ubyte.gz" >"$work/cut" && mv "$work/cut" "$work/mirror/train-images-idx3-ubyte.gz"
run kmnist "$work/cut-off"
check "a file that is cut off" refused "not a whole gzip file"

publish
mkdir "$work/bad" && echo junk >"$work/bad/train-images-idx3-ubyte.gz"
run mnist "$work/bad"
check "a bad file that is there already" refused "remove it to fetch it again"
check "it is left alone" [ "$(cat "$work/bad/train-images-idx3-ubyte.gz")" = junk ]

: >"$work/sums"
run mnist "$work/unknown"
check "a file without a checksum" refused "no checksum for mnist/train-images-idx3-ubyte.gz"
rm "$work/sums"
run mnist "$work/unknown"
check "a missing table of checksums" refused "cannot read the checksums"
publish
: >"$work/file"
run mnist "$work/file/below"
check "a folder that cannot be made" refused "cannot make the folder"

# The script's own table: four files of each name, each sum of 64 digits.
table=$(dirname -- "$script")/SHA256SUMS
output=$(cat "$table") status=0
for name in mnist fashion-mnist kmnist; do
  check "the table of $name" [ "$(grep -cE "^[0-9a-f]{64}  $name/(train|t10k)-(images-idx3|labels-idx1)-ubyte(\.gz)?$" "$table")" -eq 4 ]
done

echo "download_test: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
