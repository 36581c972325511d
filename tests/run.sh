#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Options go on to ctest: tests/run.sh -R float
set -euo pipefail
cd "$(dirname "$0")/.."
bash cmake/setup.sh test
cmake --preset tests
cmake --build --preset tests
ctest --preset tests "$@"
