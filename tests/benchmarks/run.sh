#!/usr/bin/env bash
# Builds the benchmarks and runs them: whole processes in turns with libtorch's, where libtorch-dev is installed.
# usage: tests/benchmarks/run.sh [--quick] [--data DIR] [SECTION...]
#   sections: mlp mlp1000 lenet convolution target memory micro growth checkpoints profile distributed; without any, all of them
#   --data DIR, or XGRAD_DATA=DIR: a folder with MNIST's four files; otherwise digits are drawn
#   --quick: every program for a moment, to see that it runs; its times say nothing
#   TURNS=3: how often each process runs
# Where OpenBLAS does not know the processor it takes a kernel of 2004, and the peers are far too slow: the third line of
# the output tells. OPENBLAS_CORETYPE=Cooperlake (AVX-512) or Haswell (AVX2) gives them a better one.
set -euo pipefail
all=(mlp mlp1000 lenet convolution target memory micro growth checkpoints profile distributed)
sections=() quick=() starts=100 steps=300 distributed_steps=40
while [ $# -gt 0 ]; do
  case $1 in
    --quick) export XGRAD_QUICK=1 && TURNS=1 starts=1 steps=3 distributed_steps=1 quick=(--benchmark_min_time=0.001) ;;
    --data) XGRAD_DATA=$(realpath -e "$2") && export XGRAD_DATA && shift ;;
    *)
      if [[ " ${all[*]} " != *" $1 "* ]]; then sed -n '3,9s/^# //p' "$0" >&2 && exit 2; fi
      sections+=("$1")
      ;;
  esac
  shift
done
[ ${#sections[@]} -gt 0 ] || sections=("${all[@]}")
turns=${TURNS:-3}

cd "$(dirname "$0")/../.."
bash cmake/setup.sh benchmark
cmake --preset benchmarks >/dev/null
log=$(cmake --build --preset benchmarks) || { tail -n 40 <<<"$log" >&2 && exit 1; }
bin=build/benchmarks/tests/benchmarks
results=build/benchmarks/results.csv
: >"$results"

# record WORK SIDE VALUE UNIT; nothing where there is no value.
record() { [ -z "$3" ] || echo "$1,$2,$3,$4" >>"$results"; }

# libtorch "THREADS BLAS_THREADS" PROGRAM [ARGUMENTS...]; THREADS takes the place of a %. Nothing where it is not there.
libtorch() {
  local threads=${1% *} blas=${1#* } program=$bin/libtorch_$2
  shift 2
  [ ! -x "$program" ] || OPENBLAS_NUM_THREADS=$blas timeout "${LIMIT:-120}" "$program" "${@/\%/$threads}" || true # out of time
}

field() { tail -n 1 | cut -d, -f"$1"; } # of the last line

# libtorch's OpenMP and OpenBLAS have threads of their own. Which numbers are best depends on network and machine.
declare -A best=()
find_best() { # find_best NETWORK
  [ -z "${best[$1]:-}" ] || return 0
  best[$1]="2 1"
  local least="" setting seconds
  for setting in "1 1" "2 1" "1 2" "2 2"; do
    seconds=$(LIMIT=40 libtorch "$setting" epochs "$1" % 1 | field 4)
    [ -n "$seconds" ] || continue
    echo "libtorch, $1, OpenMP and OpenBLAS threads $setting: $seconds s an epoch"
    if [ -z "$least" ] || awk "BEGIN { exit !($seconds < $least) }"; then least=$seconds best[$1]=$setting; fi
  done
}

network() { # network NAME EPOCHS: seconds of the last epoch
  local threads seconds setting
  find_best "$1"
  for _ in $(seq "$turns"); do
    for threads in 1 2; do
      [ $threads -eq 1 ] && setting="1 1" || setting=${best[$1]}
      seconds=$("$bin/epochs" "$1" $threads "$2" | field 4)
      record "$1 epoch; threads: $threads" xgrad "$seconds" s
      record "$1 epoch; threads: $threads" libtorch "$(libtorch "$setting" epochs "$1" % "$2" | field 4)" s
      [ $threads -eq 1 ] && setting="one thread" || setting=xgrad
      record "$1 epoch; the second thread" "$setting" "$seconds" s
    done
  done
}

convolution() {
  local threads side
  for _ in $(seq "$turns"); do
    for threads in 1 2; do
      for side in xgrad libtorch; do
        if [ $side = xgrad ]; then "$bin/convolution" $threads; else libtorch "$threads 1" convolution %; fi |
          sed "s/\(.*\),\(.*\),\(.*\)/conv2d \1; threads: \2,$side,\3,s/" >>"$results"
      done
    done
  done
}

reached() { awk -F, '$6 >= 0.99 { print $5 }'; }
target() { # seconds of training until an epoch ends with 99 % on the test set; a seed each turn
  local seed work="lenet to 99 % test accuracy; threads: 2"
  [ -n "${XGRAD_DATA:-}" ] || { echo "needs MNIST: --data DIR" && return; }
  find_best lenet
  for seed in $(seq "$turns"); do
    record "$work" xgrad "$("$bin/epochs" lenet 2 30 "$seed" 0.99 | reached)" s
    record "$work" libtorch "$(libtorch "${best[lenet]}" epochs lenet % 30 "$seed" 0.99 | reached)" s
  done
}

memory() {
  local network program side
  for network in mlp lenet; do
    for program in epochs libtorch_epochs; do
      [ -x "$bin/$program" ] || continue
      [ $program = epochs ] && side=xgrad || side=libtorch
      record "$network; peak of memory" $side \
        "$({ /usr/bin/time -f %M "$bin/$program" $network 1 1 >/dev/null; } 2>&1 | awk '{ print $1 / 1024 }')" MB
    done
  done
}

micro() {
  local start program
  start=$(date +%s%N)
  for _ in $(seq "$starts"); do "$bin/first_gradient"; done
  record "process start to first gradient" xgrad "$(awk "BEGIN { print ($(date +%s%N) - $start) / 1e9 / $starts }")" s
  for program in mlp gemm graph optimizer; do # medians of repetitions that run in random turns
    OPENBLAS_NUM_THREADS=1 "$bin/${program}_benchmark" "${quick[@]}" --benchmark_repetitions=$((2 * turns + 1)) \
      --benchmark_enable_random_interleaving=true --benchmark_display_aggregates_only=true 2>/dev/null | grep _median | sort
  done
}

growth() {
  "$bin/growth" 1 build/benchmarks/growth.csv build/benchmarks/growth.svg
  echo "the same as a picture: build/benchmarks/growth.svg"
}

checkpoints() {
  local folder
  folder=$(mktemp -d)
  for _ in $(seq "$turns"); do "$bin/checkpoints" "$folder" | sed 's/,/,xgrad,/; s/$/,s/' >>"$results"; done
  rm -r "$folder"
}

profile() {
  for network in lenet mlp; do "$bin/profile" $network 1 "$steps"; done
}

distributed() { # a step of 512 samples: the ratio is the gain of what stands first
  local network one micro two threads processes
  command -v mpirun >/dev/null || { echo "needs mpirun: apt-get install openmpi-bin" && return; }
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  on() { # on PROCESSES NETWORK MICRO_BATCHES THREADS
    processes=(mpirun --oversubscribe --bind-to none -n "$1")
    [ "$1" -gt 1 ] || processes=()
    "${processes[@]}" "$bin/distributed" "$2" 512 "$3" "$4" "$distributed_steps" | field 3
  }
  ddp() { # nothing where Debian's python3-torch is not installed
    if ! /usr/bin/python3 -c 'import torch.distributed as d; assert d.is_available()' 2>/dev/null; then return; fi
    OPENBLAS_NUM_THREADS=1 /usr/bin/python3 tests/benchmarks/peers/ddp.py "$1" 512 "$distributed_steps" 2
  }
  for network in mlp1000 lenet; do
    for _ in $(seq "$turns"); do
      one=$(on 1 "$network" 0 1) micro=$(on 1 "$network" 8 1) two=$(on 2 "$network" 8 1) threads=$(on 1 "$network" 0 2)
      record "$network; 2 processes and 1" xgrad "$two" s
      record "$network; 2 processes and 1" "1 process" "$micro" s
      record "$network; 2 processes and DDP" xgrad "$two" s
      record "$network; 2 processes and DDP" "PyTorch DDP over gloo" "$(ddp "$network" | field 3)" s
      record "$network; 2 processes and 2 threads" xgrad "$two" s
      record "$network; 2 processes and 2 threads" "2 threads" "$threads" s
      record "$network; micro-batches and none" xgrad "$micro" s
      record "$network; micro-batches and none" "whole batch" "$one" s
    done
  done
  python3 tests/benchmarks/scaling.py "$bin/distributed"
}

load() { cut -d' ' -f1-3 /proc/loadavg; }
echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), load $(load)"
echo "xgrad, products: $("$bin/epochs")"
libtorch "1 1" epochs | grep -E '^libtorch|MKL-DNN|CPU capability|BLAS:' || echo "libtorch: not installed"
echo "data: ${XGRAD_DATA:-drawn digits}"
for section in "${sections[@]}"; do
  echo "== $section"
  case $section in
    mlp | lenet) network "$section" 2 ;;
    mlp1000) network "$section" 1 ;;
    *) "$section" ;;
  esac
done
echo "== medians of $turns turns (least to most); ratio: the other side's time for xgrad's"
awk -F, -f tests/benchmarks/table.awk "$results"
echo "took $SECONDS s, load $(load)"
