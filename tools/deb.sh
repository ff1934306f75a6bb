#!/bin/bash
# tools/deb.sh [FOLDER]: builds the command and makes Debian packages of it in
# FOLDER (.sluice/deb by default): sluice and sluice-server. Their names go to
# stdout. SOURCE_DATE_EPOCH, DEBFULLNAME and DEBEMAIL as everywhere in Debian.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
. "$root/tools/common.sh"
"$root/tools/setup.sh" package
"$root/sluice" version >/dev/null # builds where anything has changed
exec python3 "$root/packaging/build_deb.py" --dist "$root/.sluice/bin" \
  --out "${1:-$root/.sluice/deb}"
