#!/bin/bash
# tools/tidy.sh [FILE...]: clang-tidy on our sources (all where none is named).
# A file that passed is not looked at again until it, a header or .clang-tidy
# changed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$root/tools/common.sh"
cd "$root"
cache=$root/.sluice/tidy
mkdir -p "$cache/include"
ln -sfn "$root" "$cache/include/sluice"
sluice_bazel build -c opt --ui_event_filters=-info //executor:models_cc_proto >&2
generated=$(sluice_bazel info -c opt bazel-bin 2>/dev/null)/executor/_virtual_imports/models_proto

sources() {
  find . \( -path ./.git -o -path ./.sluice -o -path './bazel-*' -o -path ./examples \) \
    -prune -o -name '*.cc' -print | sort
}

headers=$(find . \( -path ./.git -o -path ./.sluice -o -path './bazel-*' \) -prune -o \
  \( -name '*.h' -o -name '*.proto' -o -name .clang-tidy \) -type f -print0 |
  sort -z | xargs -0 sha256sum | sha256sum)

if [ $# -eq 0 ]; then mapfile -t files < <(sources); else files=("$@"); fi
todo=()
for file in "${files[@]}"; do
  [ -e "$cache/$( (echo "$headers"; cat "$file") | sha256sum | cut -c1-40)" ] || todo+=("$file")
done
[ ${#todo[@]} -gt 0 ] || exit 0

tidy_one() {
  clang-tidy --quiet "$1" -- -x c++ -std=c++20 -I"$cache/include" -I"$generated" \
    -idirafter /usr/include/android -Wno-unknown-warning-option 2>/dev/null || return 1
  touch "$cache/$( (echo "$headers"; cat "$1") | sha256sum | cut -c1-40)"
}
export -f tidy_one
export cache generated headers
printf '%s\0' "${todo[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$1"' tidy
