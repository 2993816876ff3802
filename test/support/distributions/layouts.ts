/**
 * Shell scripts that lay out a kernel, its modules and what belongs to them as a distribution does, in a system that has the other
 * programs: the root filesystem is the working directory, with a merged /usr; $1 is the kernel's version, $2 its file, $3 its
 * configuration; `after` runs after depmod. The kernel is Debian's, so its release stays Debian's, and so do the names that contain it.
 */
const MODULES = "usr/lib/modules/$1";

const ZSTD = `find ${MODULES} -name '*.ko' | xargs -n 50 zstd -q -1 --rm`;
// The kernel's own decoder wants CRC32 (scripts/Makefile.modinst).
const XZ = `find ${MODULES} -name '*.ko' | xargs -n 50 xz -0 --check=crc32`;

/**
 * The PKGBUILD of Arch's package linux: vmlinuz and pkgbase beside the modules, ZSTD; mkinitcpio 39: preset, hooks of pacman. The copy
 * in /boot is made by its hook. A directory with only a module of DKMS is left of a kernel that was removed, and dpkg is installed
 * (its PKGBUILD: touch var/lib/dpkg/{status,available}).
 */
const ARCH = `
${ZSTD}
cp "$2" ${MODULES}/vmlinuz; cp "$2" boot/vmlinuz-linux; echo linux > ${MODULES}/pkgbase
mkdir -p usr/lib/modules/6.0.2-arch1-1/updates/dkms; touch usr/lib/modules/6.0.2-arch1-1/updates/dkms/wl.ko.zst
mkdir -p etc/mkinitcpio.d etc/pacman.d usr/share/libalpm/hooks var/lib/dpkg boot/loader/entries
printf '%s\\n' 'ALL_kver="/boot/vmlinuz-linux"' "PRESETS=('default' 'fallback')" 'default_image="/boot/initramfs-linux.img"' \\
  'fallback_image="/boot/initramfs-linux-fallback.img"' 'fallback_options="-S autodetect"' > etc/mkinitcpio.d/linux.preset
for name in 60-mkinitcpio-remove 90-mkinitcpio-install; do echo '[Trigger]' > usr/share/libalpm/hooks/$name.hook; done
touch var/lib/dpkg/status; echo 'made by mkinitcpio' > boot/initramfs-linux.img
printf '%s\\n' 'title Arch Linux' 'linux /vmlinuz-linux' 'initrd /initramfs-linux.img' 'options root=LABEL=ROOT' > boot/loader/entries/arch.conf
printf '%s\\n' 'NAME="Arch Linux"' 'PRETTY_NAME="Arch Linux"' ID=arch > usr/lib/os-release
`;

/**
 * Fedora's kernel.spec: vmlinuz, config, System.map and symvers beside the modules, XZ, and copies in /boot; an entry of the Boot
 * Loader Specification by 20-grub.install of grub2; akmods put a module of their own into extra.
 */
const FEDORA = `
mkdir -p ${MODULES}/extra/virtio; mv ${MODULES}/kernel/drivers/block/virtio_blk.ko ${MODULES}/extra/virtio
${XZ}
cp "$2" ${MODULES}/vmlinuz; cp "$3" ${MODULES}/config; echo | xz > ${MODULES}/symvers.xz
cp "$2" "boot/vmlinuz-$1"; cp "$3" "boot/config-$1"; echo 'made by dracut' > "boot/initramfs-$1.img"; chmod 600 "boot/initramfs-$1.img"
mkdir -p boot/loader/entries boot/grub2 etc/kernel usr/lib/kernel; : > usr/bin/kernel-install; chmod 755 usr/bin/kernel-install
id=6c657661696e40008000000000000002; echo $id > etc/machine-id
printf '%s\\n' 'title Fedora Linux' "version $1" "linux /vmlinuz-$1" "initrd /initramfs-$1.img" 'options root=LABEL=ROOT ro' > "boot/loader/entries/$id-$1.conf"
printf '%s\\n' '# GRUB Environment Block' "saved_entry=$id-$1" > boot/grub2/grubenv
printf '%s\\n' 'NAME="Fedora Linux"' 'PRETTY_NAME="Fedora Linux"' ID=fedora > usr/lib/os-release
`;

/**
 * kernel-binary.spec of openSUSE and suse-module-tools: everything beside the modules, ZSTD, links in /boot; a module of a KMP is in
 * updates of the kernel that it was built for, and weak-modules2 makes an absolute link to it; filesystems are blacklisted
 * (suse-module-tools.spec, fs_blacklist).
 */
const OPENSUSE = `
other=usr/lib/modules/6.0.1-1-default/updates
mkdir -p $other ${MODULES}/weak-updates/updates; mv ${MODULES}/kernel/drivers/block/virtio_blk.ko $other
link=${MODULES}/weak-updates/updates/virtio_blk.ko
# depmod of another system follows no absolute link.
ln -s ../../../6.0.1-1-default/updates/virtio_blk.ko $link
after() { ln -sf /lib/modules/6.0.1-1-default/updates/virtio_blk.ko $link; }
${ZSTD}
cp "$2" ${MODULES}/vmlinuz; cp "$3" ${MODULES}/config; echo '# none' > ${MODULES}/sysctl.conf
for name in vmlinuz config sysctl.conf; do ln -s "../${MODULES}/$name" "boot/$name-$1"; done
ln -s "vmlinuz-$1" boot/vmlinuz; ln -s "initrd-$1" boot/initrd; echo 'made by dracut' > "boot/initrd-$1"
mkdir -p usr/lib/module-init-tools usr/lib/modprobe.d
: > usr/lib/module-init-tools/regenerate-initrd-posttrans; : > usr/bin/kernel-install
echo 'allow_unsupported_modules 1' > usr/lib/modprobe.d/10-unsupported-modules.conf
for name in adfs affs bfs befs cramfs efs erofs freevxfs f2fs hfs hpfs jfs minix nilfs2 ntfs omfs qnx4 qnx6 sysv ufs; do
  printf '%s\\n' "blacklist $name" "install $name /usr/lib/module-init-tools/unblacklist $name; /sbin/modprobe --ignore-install $name" \\
    > usr/lib/modprobe.d/60-blacklist_fs-$name.conf
done
printf '%s\\n' 'NAME="openSUSE Tumbleweed"' 'PRETTY_NAME="openSUSE Tumbleweed"' ID=opensuse-tumbleweed 'ID_LIKE="opensuse suse"' > usr/lib/os-release
`;

/** Ubuntu's linux-image and linux-modules since 24.04: ZSTD, a kernel that only root reads, links in /boot; DKMS replaces a module of the kernel; compressed firmware. */
const UBUNTU = `
mkdir -p ${MODULES}/updates/dkms usr/lib/firmware; cp ${MODULES}/kernel/drivers/block/virtio_blk.ko ${MODULES}/updates/dkms
${ZSTD}
cp "$2" "boot/vmlinuz-$1"; chmod 600 "boot/vmlinuz-$1"; cp "$3" "boot/config-$1"; echo 'made by initramfs-tools' > "boot/initrd.img-$1"
ln -s "vmlinuz-$1" boot/vmlinuz; ln -s "initrd.img-$1" boot/initrd.img
echo firmware | zstd -q > usr/lib/firmware/example.bin.zst
mkdir -p var/lib/dpkg etc/kernel etc/modprobe.d; echo 'Package: base-files' > var/lib/dpkg/status; touch var/lib/dpkg/diversions
echo 'blacklist evbug' > etc/modprobe.d/blacklist.conf
printf '%s\\n' 'NAME="Ubuntu"' 'PRETTY_NAME="Ubuntu 24.04 LTS"' ID=ubuntu ID_LIKE=debian > usr/lib/os-release
`;

/**
 * The packages linux-image-rpi-* and raspi-firmware of Raspberry Pi OS: a kernel for each generation, XZ, and in the boot partition the
 * copies that z50-raspi-firmware makes; config.txt and cmdline.txt as pi-gen writes them.
 */
const RASPBERRY_PI_OS = `
${XZ}
cp "$2" "boot/vmlinuz-$1"; cp "$3" "boot/config-$1"
for flavour in v8 2712; do
  mkdir -p "usr/lib/modules/6.12.25+rpt-rpi-$flavour/kernel"; ln "boot/vmlinuz-$1" "boot/vmlinuz-6.12.25+rpt-rpi-$flavour"
done
mkdir -p boot/firmware var/lib/dpkg etc/initramfs/post-update.d etc/kernel; echo 'Package: raspi-firmware' > var/lib/dpkg/status
for name in 8 _2712; do ln "boot/vmlinuz-$1" boot/firmware/kernel$name.img; echo 'made by initramfs-tools' > boot/firmware/initramfs$name; done
printf '%s\\n' 'dtparam=audio=on' 'auto_initramfs=1' 'arm_64bit=1' '[cm5]' 'dtoverlay=dwc2,dr_mode=host' '[all]' > boot/firmware/config.txt
echo 'console=serial0,115200 console=tty1 root=LABEL=ROOT rootfstype=ext4 fsck.repair=yes rootwait' > boot/firmware/cmdline.txt
printf '%s\\n' 'NAME="Debian GNU/Linux"' 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"' ID=debian > usr/lib/os-release
`;

/** By distribution: the layout, and the names that are in its os-release(5). */
export const LAYOUTS = {
  "Arch Linux": ARCH,
  Fedora: FEDORA,
  openSUSE: OPENSUSE,
  Ubuntu: UBUNTU,
  "Raspberry Pi OS": RASPBERRY_PI_OS,
} as const;
