#!/bin/sh
# Prepares a Debian 12 machine: `build/setup.sh build` to build levain, `aarch64` to build it for AArch64, `demo` to boot it too, `test` to test it too.
# Installs missing packages of build/packages-*.txt, as root or with sudo, and node_modules. Quick if nothing is missing.
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
build) lists=build/packages-build.txt ;;
aarch64) lists="build/packages-build.txt build/packages-aarch64.txt" ;;
demo) lists="build/packages-build.txt build/packages-demo.txt" ;;
test) lists="build/packages-build.txt build/packages-aarch64.txt build/packages-demo.txt build/packages-test.txt" ;;
*) echo "usage: build/setup.sh build|aarch64|demo|test" >&2; exit 2 ;;
esac

# shellcheck disable=SC2086 # a list of words
packages=$(awk '$2 == "install" { print $1 }' $lists)
command -v npm >/dev/null || packages="$packages nodejs npm"
missing=
for package in $packages; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "setup: installing$missing"
  # shellcheck disable=SC2086 # a list of words
  if [ "$(id -u)" = 0 ]; then sh build/install.sh $missing; else sudo sh build/install.sh $missing; fi
fi

# node_modules is up to date if the lock file that the last set-up copied into it is the same.
if ! cmp -s package-lock.json node_modules/.set-up-from; then
  npm ci --no-audit --no-fund
  # npm may skip install scripts; Bun's puts the executable in place.
  node_modules/.bin/bun --version >/dev/null 2>&1 || (cd node_modules/bun && node install.js)
  node_modules/.bin/bun --version >/dev/null
  cp package-lock.json node_modules/.set-up-from
fi
