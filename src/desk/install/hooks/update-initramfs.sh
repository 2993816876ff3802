#!/bin/sh
# Written by "levain install", removed by "levain uninstall": levain in place of initramfs-tools.
set -e

# The update-initramfs of initramfs-tools is update-initramfs.distrib (dpkg-divert --list). As that does, one run of dpkg builds once:
# its trigger calls this script again, without the name of a package.
if [ -n "$DPKG_MAINTSCRIPT_PACKAGE" ] && [ "$*" = -u ] && [ -e /var/lib/dpkg/info/initramfs-tools.triggers ]; then
  dpkg-trigger --no-await update-initramfs && exit 0
fi
usage() { echo "Usage: update-initramfs {-c|-d|-u} [-k version|all] [-v] [-b directory]" >&2; exit "$1"; }
mode='' version=all
while getopts cdutvhb:k: option; do
  case $option in
  c | d | u) mode=$option ;;
  k) version=$OPTARG ;;
  b | t | v) ;;
  h) usage 0 ;;
  *) usage 2 ;;
  esac
done
# For a kernel package, zz-levain does it.
[ -z "$DEB_MAINT_PARAMS" ] || exit 0
case $mode in
c | u) exec @PROGRAM@ install --kernel "$version" ;;
d) exec @PROGRAM@ uninstall --kernel "$version" ;;
*) usage 2 ;;
esac
