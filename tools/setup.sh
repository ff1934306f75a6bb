#!/bin/bash
# tools/setup.sh [GROUP...]: installs the packages of tools/packages.txt that
# are missing, of the groups named (build where none is). Quick, offline and
# without privileges where nothing is missing. Nothing is written to stdout.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$root/tools/common.sh"
exec </dev/null 1>&2

# Prints the packages of the groups given that are not installed.
missing_packages() {
  local group package installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n')
  while read -r group package; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    grep -qx "installed $package" <<<"$installed" || echo "$package"
  done <"$root/tools/packages.txt"
}

# as_root COMMAND...: runs it with the rights to install packages.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say "packages are missing, and neither root nor sudo is here. As root, run:"
    say "  apt-get install --no-install-recommends ${packages[*]}"
    exit 1
  fi
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q=2 --no-install-recommends "${packages[@]}"
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  say "this is no Debian; it needs what tools/packages.txt lists"
  exit 0
fi

mapfile -t packages < <(missing_packages "${@:-build}")
[ ${#packages[@]} -gt 0 ] || exit 0
say "installing ${#packages[@]} packages that are missing: ${packages[*]}"
# The lists that are here may do, may be missing, or may be out of date.
if ! apt-get install -s --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
  ! install_packages; then
  as_root apt-get update -q=2
  install_packages
fi
