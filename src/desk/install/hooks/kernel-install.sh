#!/bin/sh
# Written by "levain install", removed by "levain uninstall": levain as a plugin of kernel-install(8).
set -e

command=$1 version=$2 entry=$3 kernel=$4
[ "$KERNEL_INSTALL_INITRD_GENERATOR" = levain ] || exit 0
case $command in
add) ;;
remove) exec @PROGRAM@ uninstall --kernel "$version" ;;
*) exit 0 ;;
esac
# The image was given, or is part of the kernel.
if [ $# -gt 4 ] || [ "$KERNEL_INSTALL_IMAGE_TYPE" = uki ]; then exit 0; fi
if [ "$KERNEL_INSTALL_LAYOUT" = uki ] && [ "$KERNEL_INSTALL_UKI_GENERATOR" = levain ]; then
  set -- --uki --linux "$kernel"
  [ ! -e /etc/kernel/cmdline ] || set -- "$@" --cmdline @/etc/kernel/cmdline
  exec @PROGRAM@ install --kernel "$version" --output "$KERNEL_INSTALL_STAGING_AREA/uki.efi" "$@"
fi
if [ -d "$entry" ] || [ "$KERNEL_INSTALL_LAYOUT" = uki ]; then
  exec @PROGRAM@ install --kernel "$version" --output "${KERNEL_INSTALL_STAGING_AREA:-$entry}/initrd"
fi
# Fedora's GRUB reads the image beside the kernel.
exec @PROGRAM@ install --kernel "$version"
