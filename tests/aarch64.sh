#!/usr/bin/env bash
# Builds the float tests for aarch64 with Debian's cross compiler, and runs them under qemu. Options go on to the tests:
# tests/aarch64.sh -tc='*gradient*'
# The packages for aarch64 are unpacked into build/aarch64/root: the system gets none of another architecture.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/build/aarch64/root apt=$PWD/build/aarch64/apt libraries=/usr/lib/aarch64-linux-gnu
bash cmake/setup.sh aarch64

if [ ! -d "$root" ]; then
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  foreign=(-q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=
    -o Dir::State="$apt" -o Dir::State::status=/dev/null -o Dir::Cache="$apt/cache")
  apt-get "${foreign[@]}" update
  (cd "$apt" && apt-get "${foreign[@]}" download libxtensor-dev libxsimd-dev libxtensor-blas-dev zlib1g zlib1g-dev \
    libtbb12 libtbbmalloc2 libtbbbind-2-5 libtbb-dev librapidcheck-dev libopenblas0-pthread libopenblas-pthread-dev libgfortran5)
  for package in "$apt"/*.deb; do dpkg -x "$package" "$root.part"; done
  # Where alternatives, which dpkg -x does not set, would lead.
  for name in libopenblas libblas liblapack; do
    ln -sf openblas-pthread/libopenblas.so.0 "$root.part$libraries/$name.so"
    ln -sf openblas-pthread/libopenblas.so.0 "$root.part$libraries/$name.so.0"
  done
  mv "$root.part" "$root"
fi

cmake --preset aarch64
cmake --build build/aarch64 --target tests_float
exec qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$root$libraries:$root$libraries/openblas-pthread:$root/lib/aarch64-linux-gnu" \
  build/aarch64/tests/tests_float "$@"
