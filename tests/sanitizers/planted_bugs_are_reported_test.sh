#!/usr/bin/env bash
# Every planted bug of the active sanitizer is reported, in the program and in a plugin; the same program without a bug is not.
set -u
host=$1 plugin=$PWD/$2 sanitizer=$3
# A planted bug is to be seen and survived, whatever the configuration says of real ones.
unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
failed=0

# expect BUG TEXT [PLUGIN]: running BUG fails and says TEXT.
expect() {
  local bug=$1 text=$2 out
  shift 2
  if out=$("$host" "$bug" "$@" 2>&1); then
    echo "FAIL: $sanitizer let $bug pass ${*:+in a plugin}"; failed=1
  elif ! grep -q "$text" <<<"$out"; then
    echo "FAIL: $sanitizer stopped $bug ${*:+in a plugin} without saying '$text':"; echo "$out" | head -n 20; failed=1
  else
    echo "ok: $sanitizer reports $bug ${*:+in a plugin}"
  fi
}

for where in "" "$plugin"; do
  if ! "$host" none ${where:+"$where"}; then echo "FAIL: clean code was reported"; failed=1; fi
  case $sanitizer in
    asan)
      expect heap-overflow "heap-buffer-overflow" ${where:+"$where"}
      expect leak "detected memory leaks" ${where:+"$where"}
      expect overflow "signed integer overflow" ${where:+"$where"} ;;
    tsan)
      expect race "data race" ${where:+"$where"} ;;
    none)
      # Without a sanitizer there is nothing to report; that the bugs run through is what makes the reports above mean something.
      if ! "$host" overflow ${where:+"$where"}; then echo "FAIL: the planted overflow did not run"; failed=1; fi ;;
  esac
done
exit $failed
