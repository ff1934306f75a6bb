#!/bin/bash
# Inside an empty Debian 12, as root: installs, uses, upgrades, goes back,
# removes and purges the packages of /debs/1 and /debs/2 (a higher version). By
# systemd where that runs, else by the unit's settings as far as setpriv has them.
# Each step says what it shows; the last line is "all shown".
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
state=/var/lib/sluice
catalog=sqlite:$state/catalog.db
began=$SECONDS

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
shown() { echo "$((SECONDS - began)) s: $*"; }
by_systemd() { [ -d /run/systemd/system ]; }

# apt for what it brings along; then dpkg, which is what apt calls.
packages() {
  "$@" </dev/null >/tmp/apt.log 2>&1 || fail "$*: $(cat /tmp/apt.log)"
}
install_debs() { packages dpkg --install /debs/"$1"/*.deb; }
sluice_user=(setpriv --reuid=sluice --regid=sluice --init-groups --no-new-privs
  --bounding-set=-all --inh-caps=-all env HOME=$state TMPDIR=/var/tmp
  SLUICE_CATALOG=$catalog)
installed() { dpkg-query -W -f='${Version}' sluice-server; }

# get PATH: the API's answer on the unix socket, as root. perl-base is essential.
get() {
  perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => "/run/sluice/api.sock") or exit 7;
    print $s "GET $ARGV[0] HTTP/1.0\r\nHost: localhost\r\n\r\n";
    local $/; print scalar <$s>' "$1"
}
# until_ready: bounded, and by what it answers.
until_ready() {
  local tries
  for tries in $(seq 300); do
    if get /readyz 2>/dev/null | head -n 1 | grep -q ' 200 '; then return 0; fi
    by_systemd || kill -0 "$server" 2>/dev/null || { cat /tmp/serve.log; fail "it ended"; }
    sleep 0.2
  done
  by_systemd && journalctl -u sluice --no-pager | tail -n 30
  fail "not ready"
}
start_server() {
  if by_systemd; then
    systemctl start sluice
  else
    install -d -m 0755 -o sluice -g sluice /run/sluice
    (
      umask 077
      exec "${sluice_user[@]}" RUNTIME_DIRECTORY=/run/sluice sluice serve \
        --config /etc/sluice/server.json >>/tmp/serve.log 2>&1
    ) &
    server=$!
  fi
  until_ready
}
stop_server() {
  if by_systemd; then
    systemctl stop sluice
    [ "$(systemctl show -P Result sluice)" = success ] || fail "stop: $(systemctl status sluice)"
  else
    kill -TERM "$server"
    wait "$server" || fail "serve ended as $?: $(tail -n 3 /tmp/serve.log)"
  fi
}

# proves REPO: each archive in it, without us. Beside them it holds settings/.
proves() {
  local sums
  for sums in "$1"/*/SHA256SUMS; do
    (cd "$(dirname "$sums")" && sha256sum --quiet -c SHA256SUMS) || fail "sha256sum: $sums"
  done
}

command_works() {
  packages apt-get update -q=2
  packages apt-get install -q=2 --no-install-recommends /debs/1/*.deb
  [ "$(readlink -f /usr/bin/sluice)" = /usr/lib/sluice/sluice ] || fail "no command"
  sluice version
  cd /tmp
  setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp/nobody sluice demo \
    >/tmp/demo.log 2>&1 || { cat /tmp/demo.log; fail demo; }
  ldd /usr/lib/sluice/plugins/*.so | grep -q 'not found' && fail "a library is missing"
  shown "installed in an empty system: version, demo (backup, verify, restore) as nobody"
}

nothing_surprises() {
  [ "$(stat -c '%U:%G %a' $state)" = "sluice:sluice 700" ] || fail "$(stat $state)"
  [ "$(getent passwd sluice | cut -d: -f6,7)" = "$state:/usr/sbin/nologin" ] || fail "user"
  [ "$(stat -c '%U %a' /etc/sluice/server.json)" = "root 644" ] || fail "server.json"
  [ -z "$(find /etc/systemd -name 'sluice*')" ] || fail "it is enabled"
  if by_systemd; then
    if systemctl is-active -q sluice; then fail "it was started"; fi
  fi
  install_debs 1
  shown "user and folder made; neither enabled nor started; a second time changes nothing"
}

backs_up() {
  # As the manual has it; used from here on.
  eval "$(sed -n '/^as_sluice() {$/,/^}$/p' /usr/share/doc/sluice-server/operating.md)"
  install -d -m 0750 -o sluice -g sluice $state/store $state/repo
  head -c 300000 /dev/urandom >$state/store/one
  chown sluice $state/store/one
  start_server
  as_sluice sluice repo add disk local:$state/repo
  as_sluice sluice plan add nightly --source "memory:?load=$state/store&store_id=store" \
    --repo disk --cron '0 2 * * *' --keep-last 3
  local job
  job=$(as_sluice sluice plan run nightly --async)
  as_sluice sluice job wait "$job" >/dev/null || fail "the job of the service"
  proves $state/repo
  as_sluice sluice restore latest --repo disk --to "memory:?save=$state/back"
  diff -r $state/store $state/back || fail "another restore"
  get /api/v1/plans | grep -q '"name": *"nightly"' || fail "$(get /api/v1/plans)"
  get /metrics | grep -q '^sluice_build_info' || fail "no metrics"
  shown "the service backed up by its plan; restored equal; API and metrics answer"
}

as_the_unit_says() {
  by_systemd || return 0
  local pid
  pid=$(systemctl show -P MainPID sluice)
  [ "$(stat -c %U "/proc/$pid")" = sluice ] || fail "it runs as another"
  grep -q '^CapEff:.*0000000000000000$' "/proc/$pid/status" || fail "it has capabilities"
  grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status" || fail "new privileges"
  systemctl reload sluice
  until_ready
  [ "$(systemctl show -P MainPID sluice)" = "$pid" ] || fail "a reload restarted it"
  shown "runs as sluice without capabilities; a reload keeps it running"
}

drop_in() { # EXAMPLE
  install -D -m 0644 -t /etc/systemd/system/sluice.service.d \
    "/usr/share/doc/sluice-server/examples/$1.conf"
  systemctl daemon-reload
  systemctl restart sluice
  until_ready
}
runs() { # PLAN: does a run of it by the service succeed
  local job
  job=$(as_sluice sluice plan run "$1" --async)
  as_sluice sluice job wait "$job" >/tmp/run.log 2>&1
}
reads_and_writes_by_choice() {
  by_systemd || return 0
  install -d -m 0700 /srv/app
  (umask 077; echo roots >/srv/app/one)
  install -d -o sluice -g sluice /mnt/backup
  as_sluice sluice repo add mnt local:/mnt/backup
  as_sluice sluice plan add app --source 'memory:?load=/srv/app&store_id=app' \
    --repo mnt --no-check
  if runs app; then fail "it read what is root's alone"; fi
  drop_in read-all-files
  if runs app; then fail "it wrote outside its folders"; fi
  drop_in local-repo
  runs app || fail "with both drop-ins: $(cat /tmp/run.log)"
  proves /mnt/backup
  as_sluice sluice plan remove app
  rm -r /etc/systemd/system/sluice.service.d
  systemctl daemon-reload
  systemctl restart sluice
  until_ready
  shown "files of root's and a disk elsewhere: refused by the unit, done with its examples"
}

upgrades() {
  local before after
  before=$(as_sluice sluice list --repo disk)
  sed -i 's/"drain": "30s"/"drain": "20s"/' /etc/sluice/server.json
  local old=0
  if by_systemd; then old=$(systemctl show -P MainPID sluice); fi
  install_debs 2
  [ "$(installed)" = "$(dpkg-deb -f /debs/2/sluice-server_*.deb Version)" ] || fail "$(installed)"
  grep -q '"drain": "20s"' /etc/sluice/server.json || fail "the operator's configuration is gone"
  if by_systemd; then
    local tries
    for tries in $(seq 300); do
      [ "$(systemctl show -P MainPID sluice)" = "$old" ] || break
      sleep 0.2
    done
    [ "$(systemctl show -P MainPID sluice)" != "$old" ] || fail "the old one still runs"
    until_ready
  else
    stop_server
    start_server
  fi
  after=$(as_sluice sluice list --repo disk)
  [ "$before" = "$after" ] || fail "other archives: $after"
  get /api/v1/plans | grep -q '"name": *"nightly"' || fail "the plan is gone"
  shown "upgraded: configuration, plan and archives as before, the new one answers"
}

migrates_and_goes_back() {
  stop_server
  as_sluice mkdir $state/kept
  as_sluice sh -c "mv $state/catalog.db* $state/kept/"
  install -m 0600 -o sluice -g sluice /debs/catalog_v2.db $state/catalog.db
  start_server
  [ -s $state/catalog.db.before-v3 ] || fail "no copy from before the migration"
  [ "$(stat -c '%U %a' $state/catalog.db.before-v3)" = "sluice 600" ] || fail "mode of the copy"
  stop_server
  as_sluice sh -c "rm $state/catalog.db*; mv $state/kept/* $state/"
  install_debs 1
  start_server
  get /api/v1/plans | grep -q '"name": *"nightly"' || fail "the plan is gone"
  shown "a catalog of version 2 was copied before it was migrated; and back to the older package"
}

loses_the_catalog() {
  as_sluice sluice export >/tmp/settings.json
  stop_server
  as_sluice sh -c "rm $state/catalog.db*"
  start_server
  as_sluice sluice repo add disk local:$state/repo
  as_sluice sluice reconcile --repo disk --adopt-all >/dev/null
  install -o sluice -m 0600 /tmp/settings.json $state/
  as_sluice sluice import $state/settings.json >/dev/null
  get /api/v1/plans | grep -q '"name": *"nightly"' || fail "the plan is gone"
  [ -n "$(as_sluice sluice list --repo disk --json)" ] || fail "the archive is gone"
  shown "a lost catalog came back from its repo and from what export had printed"
}

goes_away() {
  if ! by_systemd; then stop_server; fi
  packages dpkg --remove sluice-server
  if by_systemd && systemctl is-active -q sluice; then fail "it still runs"; fi
  [ -e $state/catalog.db ] && [ -e /etc/sluice/server.json ] || fail "remove took too much"
  [ ! -e /lib/systemd/system/sluice.service ] || fail "the unit is still there"
  echo secret >/etc/sluice/hook.key
  packages dpkg --purge sluice-server sluice
  [ ! -e /etc/sluice/server.json ] || fail "the configuration is still there"
  [ -e /etc/sluice/hook.key ] || fail "a key of the operator's is gone"
  [ -e $state/catalog.db ] || fail "the catalog is gone"
  proves $state/repo
  grep -q '/var/lib/sluice is kept' /tmp/apt.log || fail "it does not say what it keeps"
  [ ! -e /usr/bin/sluice ] || fail "the command is still there"
  install_debs 1
  start_server
  get /api/v1/plans | grep -q '"name": *"nightly"' || fail "the plan is gone"
  stop_server
  shown "removed, purged, installed again: catalog, archives and keys outlive it"
}

command_works
nothing_surprises
backs_up
as_the_unit_says
reads_and_writes_by_choice
upgrades
migrates_and_goes_back
loses_the_catalog
goes_away
echo "all shown"
