#!/bin/bash
# tools/promtool.sh: what Prometheus's own tool says of our metrics, as a test of
# the API has scraped them, and of the alert rules.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$root/tools/common.sh"
cd "$root"

sluice_bazel test -c opt //service/http/api:api_test
outputs=$(sluice_bazel info -c opt bazel-testlogs)/service/http/api/api_test/test.outputs/outputs.zip
python3 -c 'import sys, zipfile
sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read("metrics.txt"))' \
  "$outputs" | promtool check metrics
promtool check rules docs/alerts.yml
promtool test rules docs/alerts_test.yml
