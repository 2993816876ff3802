#!/bin/sh
# Written by "levain install", removed by "levain uninstall": removes the initramfs of a kernel that is removed.
set -e

[ -n "$1" ] || exit 0
[ -x @PROGRAM@ ] || exit 0
case "${DEB_MAINT_PARAMS:-remove}" in remove* | \'remove*) ;; *) exit 0 ;; esac
exec @PROGRAM@ uninstall --kernel "$1" >&2
