#!/bin/sh
# Installs or upgrades the service from the clone in /opt/gatehouse, as root. Node is used only here.
set -eu
umask 022
cd "$(dirname "$0")/../.."
if [ "$PWD" != /opt/gatehouse ]; then
  echo "Cannot install from $PWD as the units expect the clone in /opt/gatehouse" >&2
  exit 1
fi

install "$(npx --yes deno@2.9.6 eval 'console.log(Deno.execPath())')" /usr/local/bin/deno
id gatehouse >/dev/null 2>&1 ||
  useradd --system --home-dir /var/lib/gatehouse --shell /usr/sbin/nologin gatehouse
# The service cannot write its code or packages, and starts without the network. `deno task` caches what it asks the registry.
export DENO_DIR=/var/cache/gatehouse
deno cache --quiet --lock=deno.lock --frozen main.ts lib/tasks/*.ts
deno task --quiet inspect --help >/dev/null
[ -e /etc/gatehouse.env ] || install -m 600 lib/deploy/gatehouse.env /etc/gatehouse.env
install lib/deploy/gatehouse /usr/local/sbin/gatehouse
install -m 644 lib/deploy/*.service lib/deploy/*.timer /etc/systemd/system/

systemctl daemon-reload
systemctl enable --quiet gatehouse.service gatehouse-backup.timer
since=$(date +%s)
systemctl restart gatehouse.service gatehouse-backup.timer

for _ in $(seq 60); do
  journalctl --unit gatehouse --since "@$since" --output cat | grep '"event":"listening"' && exit
  sleep 1
done
echo "The service does not listen: journalctl --unit gatehouse says why" >&2
exit 1
