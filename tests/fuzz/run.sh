#!/usr/bin/env bash
# Builds the fuzzers and lets each run for a while, one a core: first on the inputs in found/, which failed once, then on
# seeds that the library makes, and from there on its own. What it reached before is kept in build/fuzz/corpus.
# usage: tests/fuzz/run.sh MINUTES [TARGET...]
#   targets: safetensors idx npy onnx checkpoint text state; without any, all of them
# Ends with 1 where one fails, and says with which input: build/fuzz/tests/fuzz/fuzz_TARGET FILE shows it again. When it
# is mended, the file goes to found/TARGET.
set -euo pipefail
all=(safetensors idx npy onnx checkpoint text state)
minutes=${1:-}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
for target in "${targets[@]}"; do
  if [[ ! "$minutes" =~ ^[0-9]+$ || " ${all[*]} " != *" $target "* ]]; then sed -n '2,7s/^# //p' "$0" >&2 && exit 2; fi
done

cd "$(dirname "$0")/../.."
cmake --preset fuzz >/dev/null
log=$(cmake --build --preset fuzz) || { tail -n 40 <<<"$log" >&2 && exit 1; }
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")") # files of the fuzzers: in memory
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch

# An input may take 10 seconds, 2 GB in all and 256 MB at once; none needs a hundredth of it. Entropic
# scheduling would take a third of the time, with so many features.
limits=(-timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 -entropic=0)
export ASAN_OPTIONS=quarantine_size_mb=16

# fuzz TARGET: one line, and where it fails the end of the log.
fuzz() {
  local target=$1 program=build/fuzz/tests/fuzz/fuzz_$1 corpus=build/fuzz/corpus/$1 log=build/fuzz/$1.log
  local failure=build/fuzz/failure-$1 found=() words=() figures
  if [ "$target" = onnx ] && ! grep -q fuzz_onnx build/fuzz/build.ninja; then
    echo "onnx: left out, as the library is without ONNX"
    return
  fi
  [ ! -f "tests/fuzz/$target.dict" ] || words=(-dict="tests/fuzz/$target.dict")
  mkdir -p "$corpus"
  rm -f "$failure"
  for file in tests/fuzz/found/"$target"/*; do [ ! -f "$file" ] || found+=("$file"); done
  if "$program" --seeds "$scratch/$target" >"$log" 2>&1 && { [ ${#found[@]} -eq 0 ] || "$program" "${limits[@]}" "${found[@]}"; } >>"$log" 2>&1 &&
    "$program" "${limits[@]}" "${words[@]}" -exact_artifact_path="$failure" -max_len=8192 -max_total_time=$((60 * minutes)) \
      -print_final_stats=1 "$corpus" "$scratch/$target" >>"$log" 2>&1; then
    figures=$(awk '/^stat::number_of_executed_units/ { runs = $2 }
      { for (i = 2; i < NF; ++i) if ($i == "cov:") edges = $(i + 1) }
      END { print runs " executions, " edges " edges" }' "$log")
    echo "$target: $figures, no failure"
  else
    grep -n -m 1 -A 25 -e '^FAILED' -e 'ERROR:' -e 'runtime error:' "$log" || tail -n 25 "$log"
    if [ -f "$failure" ]; then
      echo "$target: FAILED with $failure"
    else
      echo "$target: FAILED with $(grep '^Running: ' "$log" | tail -n 1 | cut -d ' ' -f 2)"
    fi
    return 1
  fi
}

status=0 running=0
for target in "${targets[@]}"; do
  if [ "$running" -ge "$(nproc)" ]; then
    wait -n || status=1
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
for ((; running > 0; --running)); do wait -n || status=1; done
exit $status
