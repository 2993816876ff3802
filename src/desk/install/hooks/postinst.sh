#!/bin/sh
# Written by "levain install", removed by "levain uninstall": builds the initramfs of a kernel that is installed.
set -e

[ -n "$1" ] || { echo "zz-levain: the kernel package named no version" >&2; exit 2; }
[ "$INITRD" != No ] || exit 0
# Maintainer scripts run hooks for other steps too.
case "${DEB_MAINT_PARAMS:-configure}" in configure* | \'configure*) ;; *) exit 0 ;; esac
exec @PROGRAM@ install --kernel "$1" >&2
