#!/bin/bash
# tools/serve_load.sh: `sluice serve` under load; see benchmarks/serve_load.py.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$root/tools/common.sh"
cd "$root"

sluice_bazel build -c opt //cli:dist
python3 benchmarks/serve_load.py \
  "$(sluice_bazel info -c opt bazel-bin)/cli/dist/sluice" "$@"
