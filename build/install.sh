#!/bin/sh
# Installs Debian packages as root without starting services: meanwhile, policy-rc.d (invoke-rc.d(8)) denies every start.
# The machine's own policy-rc.d, or its absence, is restored at the end, or by the next run if this one is killed.
set -eu

policy=/usr/sbin/policy-rc.d
kept=$policy.kept-by-levain
mark="levain: build/install.sh"

exec 9>/run/levain-install.lock
flock 9

restore() {
  if grep -qs "$mark" "$policy"; then rm -f "$policy"; fi
  if [ -e "$kept" ] || [ -L "$kept" ]; then mv -f "$kept" "$policy"; fi
}
trap restore EXIT
trap 'exit 1' HUP INT TERM
restore

if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$kept"; fi
printf '#!/bin/sh\n# %s denies the start of services\nexit 101\n' "$mark" >"$policy.new"
chmod 755 "$policy.new"
mv "$policy.new" "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=600 update 9>&-
apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@" 9>&-
