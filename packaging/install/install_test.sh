#!/bin/bash
# The packages in an empty Debian 12: packaging/install/inside.sh says what is
# shown. Needs root, and Debian's registry. install_test.sh [--systemd|--chroot]
#
# Where systemd-nspawn can boot, all runs below a systemd of its own; else in a
# chroot, where the service is started by hand.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
. "$root/tools/common.sh"
how=${1:-}

fail() {
  say "install test: $*"
  exit 1
}
[ "$(id -u)" = 0 ] || fail "needs root"
tmp=$(mktemp -d /var/tmp/sluice-install-XXXXXX)
machine=$tmp/machine
cleanup() {
  local mount
  for mount in dev/pts dev sys proc; do
    if mountpoint -q "$machine/$mount"; then umount -l "$machine/$mount"; fi
  done
  rm -rf --one-file-system "$tmp"
}
trap cleanup EXIT

# The base is kept for a week: what it takes is the network's time.
base=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sluice/bookworm.tar
mkdir -p "$(dirname "$base")"
if [ -z "$(find "$base" -mtime -7 2>/dev/null)" ]; then
  say "making an empty Debian 12"
  mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus \
    bookworm "$base.new"
  mv "$base.new" "$base"
fi
mkdir "$machine"
tar -C "$machine" --numeric-owner -xf "$base"
rm -f "$machine"/dev/console

# Two versions of the same build: what is new in the second is its number. xz
# takes its time, and the first shows that it unpacks.
pack=([1]=xz [2]=none)
if [ -n "${SLUICE_DIST:-}" ]; then
  dist=$SLUICE_DIST
else
  "$root/sluice" version >/dev/null
  dist=$root/.sluice/bin
fi
for number in 1 2; do
  python3 "$root/packaging/build_deb.py" --dist "$dist" --out "$machine/debs/$number" \
    --version "99.$number~test-1" --epoch 1700000000 --compression "${pack[$number]}" >/dev/null
done
cp "$root/catalog/sqlite/testdata/catalog_v2.db" "$machine/debs/"
cp "$root/packaging/install/inside.sh" "$machine/inside.sh"
cp /etc/resolv.conf "$machine/etc/resolv.conf"

lintian --no-cfg --display-level=info --fail-on=error,warning,info \
  "$machine"/debs/1/*.deb || fail "lintian"
say "lintian has nothing to say"

# Ends the machine with what was shown in a file of it.
boot() {
  cat >"$machine/etc/systemd/system/inside.service" <<'UNIT'
[Unit]
After=basic.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/bash /inside.sh
StandardOutput=file:/inside.log
StandardError=inherit
TimeoutStartSec=20min
UNIT
  mkdir -p "$machine/etc/systemd/system/multi-user.target.wants"
  ln -s ../inside.service "$machine/etc/systemd/system/multi-user.target.wants/"
  timeout --kill-after=10 25m systemd-nspawn --quiet --register=no --keep-unit \
    --boot --console=pipe --directory="$machine" </dev/null >"$tmp/boot.log" 2>&1 || true
  [ -e "$machine/inside.log" ]
}
in_chroot() {
  mount -t proc proc "$machine/proc"
  mount -t sysfs -o ro sys "$machine/sys"
  mount --bind /dev "$machine/dev"
  mount --bind /dev/pts "$machine/dev/pts"
  printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d"
  chmod +x "$machine/usr/sbin/policy-rc.d"
  timeout --kill-after=10 25m chroot "$machine" /bin/bash /inside.sh \
    >"$machine/inside.log" 2>&1 </dev/null || true
}

if [ "$how" != --chroot ] && boot; then
  say "below a systemd of its own"
elif [ "$how" = --systemd ]; then
  tail -n 20 "$tmp/boot.log" >&2
  fail "systemd-nspawn does not boot here"
else
  say "in a chroot: systemd-nspawn does not boot here"
  in_chroot
fi
cat "$machine/inside.log"
[ "$(tail -n 1 "$machine/inside.log")" = "all shown" ] || fail "see above"
