#!/bin/bash
# Builds this workspace as a stranger would: from a copy outside the tree, with
# Sluice's public targets only; runs it; and holds README.md to its words.
# check.sh [TREE]: the tree to build against, the one that it lies in by default.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(cd "${1:-$here/../..}" && pwd -P)
. "$root/tools/common.sh"

fail() {
  say "consumer: $*"
  exit 1
}

# README.md's example is main.cc's region, less its indentation.
region=$(sed -n '/\/\/ \[README/,/\/\/ README\]/p' "$here/main.cc" |
  sed '1d; $d; s/^  //')
snippet=$(sed -n '/^```c++$/,/^```$/p' "$root/README.md" | sed '1d; $d')
[ -n "$region" ] || fail "main.cc has no region for README.md"
diff <(echo "$region") <(echo "$snippet") >&2 ||
  fail "README.md's example (>) is not the region of main.cc (<)"
# short FILE LINES: that it has fewer than were promised.
short() {
  local lines
  lines=$(wc -l <"$1")
  [ "$lines" -lt "$2" ] || fail "$1 has $lines lines; fewer than $2 were promised"
}
short "$here/main.cc" 60
short "$here/../service/main.cc" 100

copy=$(mktemp -d)
cleanup() {
  (cd "$copy" && consumer_bazel shutdown) || true
  rm -rf "$copy"
}
# What was built is kept in the tree's own cache, for the next time.
consumer_bazel() {
  (cd "$copy" && HOME=${HOME:-/tmp} bazel "--output_base=$root/.sluice/consumer" \
    "$@" </dev/null)
}
trap cleanup EXIT
cp "$here"/{WORKSPACE,.bazelrc,BUILD,main.cc} "$copy/"
mkdir "$copy/service"
cp "$here"/../service/{BUILD,main.cc} "$copy/service/"
# Not optimised where nobody asks for it: ./check has optimised the same sources.
consumer_bazel build -c "${SLUICE_CONSUMER_MODE:-fastbuild}" --define=sluice_consumer=1 \
  "--override_repository=sluice=$root" //:consumer //service >&2
output=$("$copy/bazel-bin/consumer" "$copy/place")
echo "$output"
grep -qx 'restored order/17: 3 apples' <<<"$output" || fail "it restored nothing"
id=$(sed -n 's/^archive //p' <<<"$output")
(cd "$copy/place/repo/$id" && sha256sum --quiet -c SHA256SUMS) ||
  fail "its archive is not whole"
output=$(timeout 120 "$copy/bazel-bin/service/service" "$copy/served" 5)
echo "$output"
grep -qx 'kept 3' <<<"$output" || fail "the service did not prune to three"
