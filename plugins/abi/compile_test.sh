#!/bin/bash
# The header compiles alone, without a warning, as C11 and C++20 with both
# compilers, and what an author writes against it does too.
set -eu
header="$(realpath "$1")"
mkdir -p "$TEST_TMPDIR/include/sluice/plugins/abi"
cp -L "$header" "$TEST_TMPDIR/include/sluice/plugins/abi/"
cd "$TEST_TMPDIR"

cat >alone.c <<'END'
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/abi/sluice_plugin.h"
END
cat >used.c <<'END'
#include "sluice/plugins/abi/sluice_plugin.h"
static sluice_code create(const sluice_host* host, const sluice_option* options,
                          uint64_t count, const void** object,
                          sluice_error* error) {
  (void)host, (void)options, (void)count, (void)object;
  if (error != NULL && SLUICE_HAS(error, sluice_error, code))
    error->code = SLUICE_UNIMPLEMENTED;
  return SLUICE_UNIMPLEMENTED;
}
static const sluice_factory factory = {
    sizeof(sluice_factory), SLUICE_ROLE_SOURCE, {"a", 1}, {"b", 1}, NULL, 0,
    sizeof(sluice_option_spec), 0, create, NULL};
static const sluice_factory* const factories[] = {&factory};
const sluice_plugin_entry sluice_plugin = {
    SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, sizeof(sluice_plugin_entry), 1,
    {"a", 1}, {"1", 1}, {"MIT", 3}, factories};
END

ran=0
check() {
  echo "$*"
  "$@" -Wall -Wextra -pedantic -Werror -Iinclude -c -o out.o
  ran=$((ran + 1))
}
for compiler in gcc clang; do
  for source in alone.c used.c; do
    check "$compiler" -x c -std=c11 -Wstrict-prototypes "$source"
    check "$compiler" -x c++ -std=c++20 -Wnon-virtual-dtor "$source"
  done
done
[ "$ran" -eq 8 ]

# A warning would have been seen.
printf 'static int unused;\n' >>alone.c
for compiler in gcc clang; do
  if "$compiler" -x c -std=c11 -Wall -Wextra -pedantic -Werror -Iinclude \
    -c alone.c -o out.o 2>warning; then
    echo "$compiler passed over a warning"
    exit 1
  fi
  grep -q unused warning
done
