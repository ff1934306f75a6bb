#!/bin/bash
# tools/mutants.sh [PATCH...]: puts each planted bug of tests/mutants back into a
# copy of the tree, and wants a test of ours to notice. A patch names its tests
# on lines "# test: //room:some_test" before the diff. Prints one line a patch;
# exit status 1 where one survived.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$root/tools/common.sh"
cd "$root"
# One place for all runs, so that Bazel's server and its cache stay warm.
copy=${TMPDIR:-/tmp}/sluice-mutants-$(id -u)
patches=("$@")
[ $# -gt 0 ] || patches=("$root"/tests/mutants/*.patch)

fresh_copy() {
  mkdir -p "$copy"
  find "$copy" -mindepth 1 -maxdepth 1 ! -name 'bazel-*' -exec rm -rf {} +
  tar -C "$root" --exclude=./.git --exclude=./.sluice --exclude='./bazel-*' -cf - . |
    tar -C "$copy" -xf -
}

killed=0
survived=0
for patch in "${patches[@]}"; do
  [ -f "$patch" ] || continue
  patch=$(readlink -f "$patch")
  name=$(basename "$patch" .patch)
  mapfile -t targets < <(sed -n 's/^# test: *//p' "$patch")
  fresh_copy
  verdict=killed
  if [ ${#targets[@]} -eq 0 ]; then
    verdict="names no test"
  elif ! patch -d "$copy" -p1 -s --no-backup-if-mismatch <"$patch" >&2; then
    verdict="does not apply"
  else
    status=0
    (cd "$copy" && sluice_bazel test -c opt --test_output=summary "${targets[@]}") \
      >"$copy.log" 2>&1 || status=$?
    case $status in
      3) ;; # built, and a test failed
      0) verdict=SURVIVED ;;
      *) verdict="does not build" && tail -n 20 "$copy.log" >&2 ;;
    esac
  fi
  if [ "$verdict" = killed ]; then
    killed=$((killed + 1))
  else
    survived=$((survived + 1))
  fi
  printf '%-50s %s\n' "$name" "$verdict"
done
echo "mutants: $killed killed, $survived not"
[ $survived -eq 0 ]
