#!/bin/sh
# Makes a Debian 12 machine ready to build and test levain: the missing Debian packages, and what npm installs.
# Quick when nothing is to do. Packages are installed as root, or with sudo.
set -eu
cd "$(dirname "$0")/.."

packages="
  gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static make file cpio kmod util-linux xz-utils zstd lz4 bzip2 lzop
  qemu-system-x86 ovmf systemd-boot-efi busybox-static
  debootstrap squashfs-tools erofs-utils e2fsprogs xfsprogs btrfs-progs dosfstools mtools xorriso isolinux fdisk cryptsetup-bin dmsetup
  f2fs-tools exfatprogs ntfs-3g udftools jfsutils reiserfsprogs reiser4progs nilfs-tools mtd-utils genromfs hfsutils
  genisoimage gfs2-utils ocfs2-tools mdadm lvm2 bcache-tools drbd-utils zfs-fuse gdisk parted openssl libargon2-1 libgcc-s1 librhash0
  kbd console-data console-setup
"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

command -v npm >/dev/null || packages="$packages nodejs npm"
missing=
for package in $packages; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "setup: installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get -q update
  # shellcheck disable=SC2086 # a list of words
  as_root apt-get -q install -y --no-install-recommends $missing
fi

# node_modules is as package-lock.json says when the copy that the last set-up left in it says the same.
if ! cmp -s package-lock.json node_modules/.set-up-from; then
  npm install --no-audit --no-fund
  # npm may leave a package's own install step out; Bun's puts the executable in its place.
  node_modules/.bin/bun --version >/dev/null 2>&1 || (cd node_modules/bun && node install.js)
  node_modules/.bin/bun --version >/dev/null
  cp package-lock.json node_modules/.set-up-from
fi
