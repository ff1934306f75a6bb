#!/bin/bash
# Types the commands of README.md's "First real use", with folders of its own in
# place of those named there, and compares what comes back.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
cd "$root"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
commands=$(sed -n '/^## First real use$/,/^## /p' README.md |
  sed -n '/^```sh$/,/^```$/p' | sed '1d; $d' |
  sed "s,/mnt/disk/backups,$tmp/backups,; s,/etc/myapp,$tmp/myapp,; s,/tmp/back,$tmp/back,")
for verb in 'repo add' backup list verify restore; do
  if ! grep -q "^\./sluice $verb .*nightly" <<<"$commands"; then
    echo "README.md's first real use has no $verb" >&2
    exit 1
  fi
done
mkdir -p "$tmp/myapp/sub"
echo one >"$tmp/myapp/one"
head -c 1000000 /dev/urandom >"$tmp/myapp/sub/two"
XDG_STATE_HOME=$tmp/state bash -euo pipefail -c "$commands"
diff -r "$tmp/myapp" "$tmp/back"
