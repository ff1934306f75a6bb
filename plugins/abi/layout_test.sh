#!/bin/bash
# Each way to break the frozen layout breaks the build. $1: layout_check.cc,
# $2, $3: layout_v1_0.inc, layout_v1_1.inc, $4: sluice_plugin.h.
set -eu
mkdir -p "$TEST_TMPDIR/include/sluice/plugins/abi"
cp -L "$1" "$2" "$3" "$TEST_TMPDIR/"
header="$TEST_TMPDIR/include/sluice/plugins/abi/sluice_plugin.h"
original="$(realpath "$4")"
cd "$TEST_TMPDIR"
compiles() { g++ -std=c++20 -Iinclude -I. -fsyntax-only layout_check.cc 2>errors; }

cp "$original" "$header"
chmod +w "$header"
compiles || { cat errors; exit 1; }

breaks() { # what, sed expression, expected text
  sed "$2" "$original" >"$header"
  if cmp -s "$original" "$header"; then
    echo "$1: the edit changed nothing"
    exit 1
  fi
  if compiles; then
    echo "$1: not noticed"
    exit 1
  fi
  grep -q "$3" errors || { echo "$1: another error:"; cat errors; exit 1; }
  echo "$1: noticed"
}
breaks "a renumbered code" 's/SLUICE_ABORTED = 10/SLUICE_ABORTED = 9/' \
  "SLUICE_ABORTED changed its value"
breaks "a longer array" 's/char word\[64\]/char word[65]/' "moved"
breaks "a swapped pair" \
  's/sluice_bytes key;/sluice_bytes k2;/; s/sluice_bytes value;/sluice_bytes key; sluice_bytes value;/' \
  "sluice_pair"
breaks "another result type" \
  's/uint32_t (\*cancelled)/int32_t (*cancelled)/' \
  "sluice_run.cancelled changed its type"
breaks "a member added without a new minor" \
  's/^} sluice_run;/  uint64_t more;\n} sluice_run;/' \
  "sluice_run changed its size"
breaks "a fixed struct grown in a new minor" \
  's/^} sluice_count;/  uint64_t more;\n} sluice_count;/; s/MINOR 1u/MINOR 2u/' \
  "sluice_count may never change its size"

# What a minor may do.
sed 's/^} sluice_run;/  uint64_t more;\n} sluice_run;/; s/MINOR 1u/MINOR 2u/' \
  "$original" >"$header"
compiles || { echo "a minor that only adds was refused"; cat errors; exit 1; }
