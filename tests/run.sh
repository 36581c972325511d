#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test but the lab's, which take longer than all others together: with
# --slow those too. Options go on to ctest: tests/run.sh -R float
set -euo pipefail
cd "$(dirname "$0")/.."
what=(-LE slow) target=quick_tests
if [ "${1:-}" = --slow ]; then
  shift
  what=() target=all
fi
bash cmake/setup.sh test
cmake --preset tests
cmake --build --preset tests --target $target
ctest --preset tests -j "$(nproc)" "${what[@]}" "$@"
