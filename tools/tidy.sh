#!/bin/bash
# tools/tidy.sh [--all | FILE...]: clang-tidy on the sources that ship; with
# --all on those of tests and benchmarks too, and with the static analyzer, which
# takes some ten times as long. A file that passed is not looked at again until
# it, a header, .clang-tidy or this script changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$root/tools/common.sh"
cd "$root"
cache=$root/.sluice/tidy
mkdir -p "$cache/include"
ln -sfn "$root" "$cache/include/sluice"
sluice_bazel build -c opt --ui_event_filters=-info //executor:models_cc_proto >&2
postgresql_server=$(printf '%s\n' /usr/include/postgresql/*/server | tail -n 1)
generated=$(sluice_bazel info -c opt bazel-bin 2>/dev/null)/executor/_virtual_imports/models_proto

# ours TEST...: the files of the tree that pass find's tests.
ours() {
  find . \( -path ./.git -o -path ./.sluice -o -path './bazel-*' -o -path ./examples \) \
    -prune -o -type f "$@" -print | sort
}

# shipped: without what only tests and benchmarks link.
shipped() {
  ours -name '*.cc' ! -path './tests/*' ! -path './benchmarks/*' \
    ! -name '*_test.cc' ! -name '*_fuzz.cc' ! -name '*_suite.cc' ! -name '*_fixture.cc' \
    ! -name 'fake_*' ! -name 'test_*' ! -path './plugins/sdk/conformance/*'
}

checks=
case ${1:-} in
  --all)
    checks=clang-analyzer-*,-clang-analyzer-optin.performance.Padding
    mapfile -t files < <(ours -name '*.cc') ;;
  '') mapfile -t files < <(shipped) ;;
  *) files=("$@") ;;
esac
common=$(ours \( -name '*.h' -o -name '*.proto' -o -name .clang-tidy -o -name tidy.sh \) |
  xargs sha256sum | sha256sum)

# passed FILE: the name of the mark that it passed, as it is now.
passed() { echo "$cache/$( (echo "$common$checks"; cat "$1") | sha256sum | cut -c1-40)"; }

tidy_one() {
  clang-tidy --quiet --checks="$checks" "$1" -- -x c++ -std=c++20 -iquote . -I"$cache/include" \
    -isystem "$generated" -idirafter /usr/include/android \
    -idirafter /usr/include/postgresql -idirafter /usr/include/postgresql/internal \
    -idirafter "$postgresql_server" 2>/dev/null || return 1
  touch "$(passed "$1")"
}

todo=()
for file in "${files[@]}"; do
  [ -e "$(passed "$file")" ] || todo+=("$file")
done
[ ${#todo[@]} -gt 0 ] || exit 0
export -f passed tidy_one
export cache checks common generated postgresql_server
printf '%s\0' "${todo[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$1"' tidy
