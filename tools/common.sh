# Sourced by ./sluice, ./check and tools/setup*.sh; `root` is the tree's top.
# shellcheck shell=bash

# Programs are read by scripts here: no translations, byte order, UTF-8.
export LC_ALL=C.UTF-8

# say WORDS...: a line for people.
say() { printf '%s\n' "sluice: $*" >&2; }

# Bazel with an output folder that can be written, also where HOME cannot.
sluice_bazel() {
  local start=()
  local cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
  if [ -z "${TEST_TMPDIR:-}" ] && ! mkdir -p "$cache/bazel" 2>/dev/null ||
    ! [ -w "$cache/bazel" ]; then
    start+=("--output_user_root=${TMPDIR:-/tmp}/sluice-bazel-$(id -u)")
  fi
  # A client without a home still asks for one.
  HOME=${HOME:-/tmp} bazel "${start[@]}" "$@" </dev/null
}
