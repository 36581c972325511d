#!/usr/bin/env bash
# Installs what xgrad needs on Debian 12, as far as it is missing. Asks no questions; works as root and with sudo.
# usage: cmake/setup.sh [test | benchmark | aarch64]
#   adds what only the tests need, the benchmarks, or the tests for another processor (tests/aarch64.sh)
set -euo pipefail

packages=(g++ cmake ninja-build libxtensor-dev libxsimd-dev libtbb-dev zlib1g-dev nlohmann-json3-dev libcli11-dev
  libxtensor-blas-dev libopenblas-dev libpng-dev libturbojpeg0-dev
  libprotobuf-dev libonnx-dev libzip-dev libopenmpi-dev openmpi-bin)
tests=(doctest-dev librapidcheck-dev)
case "${1:-}" in
  test)
    packages+=("${tests[@]}")
    packages+=(libonnx-testdata)  # networks of one node each, with their outputs
    packages+=(python3-onnx python3-numpy)  # they check networks and arrays that were written
    packages+=(iproute2 procps)  # they make hosts, and find the processes of one to be killed
    packages+=(strace)  # it sees in which order a file is written
    packages+=(chromium chromium-driver python3-selenium fonts-dejavu-core)  # they open the lab's page
    ;;
  aarch64) packages+=("${tests[@]}" g++-aarch64-linux-gnu qemu-user) ;;
  benchmark) packages+=(libbenchmark-dev time) ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: these packages are missing, and there is no sudo to install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]} ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -q &&
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
  >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  echo "setup.sh: apt-get could not install ${missing[*]}" >&2
  exit 1
fi
