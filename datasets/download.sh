#!/usr/bin/env bash
# Fetches MNIST, Fashion-MNIST or KMNIST into a folder that xgrad::datasets::mnist() reads:
#
#   datasets/download.sh mnist|fashion-mnist|kmnist DIR
#
# A file gets its name only once its SHA-256 is right; files that are there and right are kept. The sums are in SHA256SUMS
# beside this script. Its names tell what was summed:
# - NAME/FILE is the unpacked content, for MNIST, whose mirrors pack the same content differently.
# - NAME/FILE.gz is the file as published, for the other two. These sums are those of torchvision (pytorch/vision,
#   torchvision/prototype/datasets/_builtin/mnist.py).
#
# XGRAD_MIRROR is another base URL for the four files (file:///… works), XGRAD_SHA256SUMS another file of sums.
set -euo pipefail

fail() {
  echo "download.sh: $*" >&2
  exit 1
}

[ $# -eq 2 ] || fail "expected a name and a folder: download.sh mnist|fashion-mnist|kmnist DIR"
name=$1 dir=$2
case $name in
  mnist) base=https://ossci-datasets.s3.amazonaws.com/mnist ;;
  fashion-mnist) base=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com ;;
  kmnist) base=http://codh.rois.ac.jp/kmnist/dataset/kmnist ;;
  *) fail "unknown name '$name': expected mnist, fashion-mnist or kmnist" ;;
esac
base=${XGRAD_MIRROR:-$base}
base=${base%/}
sums=${XGRAD_SHA256SUMS:-$(dirname -- "$0")/SHA256SUMS}
[ -r "$sums" ] || fail "cannot read the checksums in $sums"

for tool in sha256sum gzip mktemp awk; do
  command -v "$tool" >/dev/null || fail "this script needs $tool"
done
if command -v curl >/dev/null; then
  fetch() { curl --fail --silent --show-error --location --retry 2 --connect-timeout 20 --output "$2" -- "$1"; }
elif command -v wget >/dev/null && [ "${base#file:}" = "$base" ]; then
  fetch() { wget --no-verbose --tries=3 --timeout=20 --output-document="$2" -- "$1"; }
elif [ "${base#file:}" != "$base" ]; then
  fetch() { cp -- "${1#file://}" "$2"; }
else
  fail "this script needs curl or wget"
fi

# The sum that the entry $1 of the table has, or nothing.
expected_sum() { awk -v entry="$name/$1" '$2 == entry { print $1 }' "$sums"; }

# Is the content of the gzip file $1, published as $2, what it should be? Otherwise prints why not.
check() {
  local expected actual
  gzip --test <"$1" 2>/dev/null || { echo "it is not a whole gzip file"; return 1; }
  expected=$(expected_sum "$2")
  if [ -n "$expected" ]; then
    actual=$(sha256sum <"$1")
  else
    expected=$(expected_sum "${2%.gz}")
    [ -n "$expected" ] || { echo "$sums has no checksum for $name/$2"; return 1; }
    actual=$(gzip --decompress --stdout <"$1" | sha256sum)
  fi
  [ "${actual%% *}" = "$expected" ] || { echo "its SHA-256 is ${actual%% *}, expected $expected"; return 1; }
}

mkdir -p -- "$dir" 2>/dev/null || fail "cannot make the folder $dir"
scratch=$(mktemp -d "$dir/.download.XXXXXX" 2>/dev/null) || fail "cannot write into the folder $dir"
partial=$scratch/partial
trap 'rm -rf -- "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
  target=$dir/$file.gz
  if [ -e "$target" ]; then
    why=$(check "$target" "$file.gz") || fail "$target is there, but $why; remove it to fetch it again"
    echo "$target is there already"
    continue
  fi
  fetch "$base/$file.gz" "$partial" || fail "could not fetch $base/$file.gz"
  why=$(check "$partial" "$file.gz") || fail "$base/$file.gz is not what it should be: $why"
  mv -- "$partial" "$target"
  echo "$target fetched and checked"
done
