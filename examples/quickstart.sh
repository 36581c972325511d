#!/usr/bin/env bash
# Installs what is missing, builds, and trains a 784-128-10 network with Adam and with Adamax on digits that the library
# draws itself. More arguments go to the program: bash examples/quickstart.sh --epochs 10 --optimizer adam,adamax,sgd
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/quickstart

bash "$root/cmake/setup.sh"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DXGRAD_BUILD_TESTS=OFF -DXGRAD_BUILD_BENCHMARKS=OFF \
  -DCMAKE_UNITY_BUILD=ON --log-level=NOTICE
cmake --build "$build" --target train
echo

# A plot of the user's own takes the place of ours.
plot=(--plot "$build/training.svg")
for argument in "$@"; do
  [[ $argument == --plot || $argument == --plot=* ]] && plot=()
done
exec "$build/examples/train/train" "${plot[@]}" "$@"
