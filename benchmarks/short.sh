#!/bin/bash
# Every benchmark, briefly: one table, in under a minute once it is built.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
bazel build -c opt //benchmarks:short_table
bazel-bin/benchmarks/short_table "$@"
