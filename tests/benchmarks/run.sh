#!/usr/bin/env bash
# Builds the benchmarks and runs them in turns with their floors and, where libtorch is installed, with it.
# usage: tests/benchmarks/run.sh [DIR]     DIR holds MNIST's four files; without it, digits are drawn
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -eq 0 ] || export XGRAD_DATA=$1
bash cmake/setup.sh benchmark
cmake --preset benchmarks >/dev/null
cmake --build --preset benchmarks >/dev/null
bin=build/benchmarks/tests/benchmarks

echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1 /proc/loadavg)"
echo "environment: OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-unset}; the floors and libtorch run with OPENBLAS_NUM_THREADS=1"
echo
echo "== MLP epoch, graph and optimizer steps: medians of repetitions that run in random turns"
for program in mlp graph optimizer; do
  OPENBLAS_NUM_THREADS=1 "$bin/${program}_benchmark" --benchmark_repetitions="${REPETITIONS:-7}" \
    --benchmark_enable_random_interleaving=true --benchmark_display_aggregates_only=true 2>/dev/null | grep _median
done

echo
echo "== MLP epoch as a process of its own: seconds of each epoch, in turns"
for _ in 1 2 3; do
  for threads in 1 2; do
    "$bin/mlp_epochs" $threads 3 | tail -n 1
    [ ! -x "$bin/libtorch_mlp" ] || OPENBLAS_NUM_THREADS=1 "$bin/libtorch_mlp" $threads 3 | tail -n 1
  done
done

echo
start=$(date +%s%N)
for _ in $(seq 100); do "$bin/first_gradient"; done
echo "== process start to first gradient, mean of 100: $((($(date +%s%N) - start) / 100000)) us"
echo "== peak memory of the MLP run"
/usr/bin/time -f '%M KB' "$bin/mlp_epochs" 1 1
