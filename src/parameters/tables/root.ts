import { deferred } from "../network/deferred.ts";
import { alias, flagOrYes, list, single, toggle } from "../parameter.ts";
import { archive } from "../sources/memory-root.ts";
import { nfsRoot } from "../sources/nfs-source.ts";
import { root } from "../sources/root-setting.ts";
import { slots, slotTries } from "../sources/slots.ts";
import * as values from "../values.ts";

/** The root device: where it is, how long to wait for it, how it is mounted. */
export const ROOT = {
  root: single(root, {
    syntax: "root=DEVICE",
    aliases: ["real_root=DEVICE"],
    fallback: "none, and the initramfs is the final system; see rd.systemd.gpt_auto=",
    text: "The root device: /dev/…, LABEL=, UUID=, PARTUUID= (with /PARTNROFF=n), PARTLABEL=, SIBLING=n:DEVICE (partition n of the disk that holds DEVICE), /dev/disk/by-label|uuid|partuuid|partlabel/…, major:minor, or the kernel's hexadecimal number. live:DEVICE uses an image on DEVICE (rd.live.dir=, rd.live.squashimg=) with a tmpfs overlay. gpt-auto: see rd.systemd.gpt_auto=. nbd:SERVER:EXPORT[:TYPE[:OPTIONS]], nbd://SERVER[:PORT]/EXPORT: an export of an NBD server, which becomes /dev/nbd0. aoe:eSHELF.SLOT[pN]: a target of ATA over Ethernet. 9p:TAG or virtiofs:TAG: a directory of the host of a virtual machine; TAG alone with rootfstype=9p or virtiofs. ubi0:NAME, ubi0_1: a UBIFS volume; mtd0 or mtd:NAME: JFFS2, or what rootfstype= says, on flash memory. http://…, https://… or tftp://…: levain downloads this image, or ISO file, to memory and boots it as a live medium; live: may be in front. nfs:SERVER:PATH[:OPTIONS]: a directory on an NFS server; nfs4: without version 3; /dev/nfs: the one of nfsroot= or of DHCP. zfs:POOL/DATASET, ZFS=POOL/DATASET: a dataset of ZFS, by the programs zpool and mount.zfs of the image. cifs://[USER[:PASSWORD]@]HOST/SHARE[/PATH]: a directory on a server of SMB, by the program mount.cifs of the image. dhcp: what the root path of DHCP names (nfs:…, SERVER:PATH, nbd:…, aoe:… or http://…). tmpfs, tmpfs:size=SIZE or ramfs: a filesystem in memory, filled from rd.archive=. /dev/ram0: the initramfs itself. In a label, a partition name and a path below /dev/disk, \\x20 is a space, as udev writes it. If the device appears nowhere else, levain reads partition tables inside partitions too.",
    example: "root=LABEL=ROOT",
  }),
  nfsRoot: single(deferred(nfsRoot), {
    syntax: "nfsroot=[SERVER:]PATH[,OPTIONS]",
    fallback: "the root path and the server of DHCP, and /tftpboot/%s without a root path",
    text: "The directory on an NFS server that root=/dev/nfs and boot=nfs mount. %s in PATH stands for the host name, or for the address of a machine without one. Without SERVER, it is that of ip=, of the root path, or of the boot file. OPTIONS are those of nfs(5): without a version, levain tries 4.2, 4.1, 4.0 and 3; with version 3, locks are local (nolock) unless lock is given.",
    example: "root=/dev/nfs nfsroot=192.0.2.1:/srv/root ip=dhcp",
  }),
  nfsOptions: single(values.text, {
    syntax: "nfsopts=OPTIONS",
    text: "More mount options for nfsroot=.",
    example: "boot=live netboot=nfs nfsroot=192.0.2.1:/srv/live nfsopts=vers=3",
  }),
  cifsUser: single(values.text, {
    syntax: "cifsuser=USER",
    fallback: "that in root=cifs://, or a guest",
    text: "The user for root=cifs://.",
    example: "root=cifs://192.0.2.1/root cifsuser=boot ip=dhcp",
  }),
  cifsPassword: single(values.text, {
    syntax: "cifspass=PASSWORD",
    text: "The password of that user. It is never shown, but every user can read /proc/cmdline.",
    example: "root=cifs://192.0.2.1/root cifsuser=boot cifspass=secret ip=dhcp",
  }),
  rootFallbacks: list(values.device, {
    syntax: "rootfallback=DEVICE",
    text: "An alternative root device, used if the root device does not appear. May be given several times, in the order to try.",
    example: "root=LABEL=A rootfallback=LABEL=B",
  }),
  slots: single(slots, {
    syntax: "rd.slots=NAME:ROOT,NAME:ROOT…",
    text: "Roots that are booted in turn, each ROOT as in root=: the first that has tries left. A boot uses up one try, and `levain slot ok` in the booted system gives them back; without that, the next slot is booted when none is left. docs/unattended.md has the whole procedure.",
    example: "rd.slots=A:LABEL=rootA,B:LABEL=rootB rd.emergency=reboot",
  }),
  slotTries: single(slotTries, {
    syntax: "rd.slots.tries=NUMBER",
    fallback: "3",
    text: "How often a slot is tried until the next one is booted, from 1 to 99.",
    example: "rd.slots=A:LABEL=rootA,B:LABEL=rootB rd.emergency=reboot rd.slots.tries=2",
  }),
  slotState: single(values.device, {
    syntax: "rd.slots.state=DEVICE",
    fallback: "an EFI variable",
    text: "The partition that keeps the count of rd.slots=, for a machine without EFI: at least 128 KiB, filled with zeros before its first use, without a filesystem.",
    example: "rd.slots=A:LABEL=rootA,B:LABEL=rootB rd.emergency=reboot rd.slots.state=PARTLABEL=slots",
  }),
  gptAuto: toggle({
    syntax: "rd.systemd.gpt_auto=yes|no",
    aliases: [alias("systemd.gpt_auto[=yes|no]", flagOrYes)],
    fallback: "yes",
    text: "Without root=, if the EFI boot loader reports its own partition (LoaderDevicePartUUID): the root is the partition on the same disk that has the GPT root type of this architecture.",
    example: "rd.systemd.gpt_auto=no",
  }),
  timeoutMs: single(values.waitingTimeMs, {
    syntax: "rd.timeout=SECONDS",
    aliases: [
      "rd.retry=SECONDS",
      "roottimeout=SECONDS",
      "live-media-timeout=SECONDS",
      alias("rootwait[=SECONDS]", (value) => value ?? "0"),
    ],
    fallback: "30",
    text: "How long to wait for the root device; 0 or a bare rootwait waits without limit. The last of these parameters counts. Without them, levain waits up to 180 seconds while a disk or a driver has not answered yet.",
    example: "root=LABEL=ROOT rd.timeout=5",
  }),
  delayMs: single(values.waitingTimeMs, {
    syntax: "rootdelay=SECONDS",
    fallback: "30",
    text: "How long to wait for the root device if neither rd.timeout= nor rootwait is given, but at least 30 seconds. It is a limit, never a sleep.",
    example: "root=LABEL=ROOT rootdelay=60",
  }),
  types: single(values.filesystemTypes, {
    syntax: "rootfstype=TYPE[,TYPE…]",
    fallback: "the type in the device's superblock",
    text: "Filesystem types to try for the root device, in this order.",
    example: "root=LABEL=ROOT rootfstype=ext4,xfs",
  }),
  options: single(values.mountOptions, {
    syntax: "rootflags=OPTIONS",
    aliases: ["img_flags=OPTIONS", "real_rootflags=OPTIONS"],
    text: "Mount options for the root device, separated by commas, as in fstab. Those that only mount(8) or systemd obey (defaults, nofail, x-…) are left out; user implies noexec, nosuid and nodev.",
    example: "root=LABEL=ROOT rootflags=noatime",
  }),
  check: single(values.oneOf("auto", "force", "skip"), {
    syntax: "fsck.mode=auto|force|skip",
    aliases: [
      alias("rd.skipfsck", () => "skip"),
      { ...alias("fastboot", () => "skip"), isPassedOn: true },
      { ...alias("forcefsck", () => "force"), isPassedOn: true },
    ],
    fallback: "auto",
    text: "Whether levain checks the root filesystem before it mounts it, if the image has the program for it (fsck.TYPE). auto: if the superblock asks for a check; force: even if the filesystem is marked clean; skip: never. fastboot and forcefsck are also passed on to init.",
    example: "root=LABEL=ROOT fsck.mode=skip",
  }),
  repair: single(values.oneOf("preen", "yes", "no"), {
    syntax: "fsck.repair=preen|yes|no",
    aliases: [alias("fsckfix", () => "yes")],
    fallback: "preen",
    text: "What the check of the root filesystem repairs. preen: what is safe to repair (fsck -a); yes: everything, which may lose damaged files (fsck -y); no: nothing (fsck -n). If errors are left, the root is not mounted.",
    example: "root=LABEL=ROOT fsck.repair=yes",
  }),
  writable: toggle({
    syntax: "rw",
    aliases: [alias("ro", () => "0")],
    fallback: "ro",
    text: "Mount the root device read-write (rw) or read-only (ro); the last of the two counts. levain never writes to a device below an image, a layer or an overlay, and does not replay its journal.",
    example: "root=LABEL=ROOT rw",
  }),
};

/** Image files and layers. */
export const LAYERS = {
  image: single(values.imagePath, {
    syntax: "rd.image=PATH|no",
    fallback: "none, the root device itself is the root; for root=live: see rd.live.dir=",
    text: "An image file (squashfs, erofs, …) on the root device that becomes the root, with a tmpfs overlay unless rd.overlay=0 is given. Of an image of a whole disk, levain uses the partition with the root type of the Discoverable Partitions Specification, or the only one for Linux. no: the root device itself, also if other parameters (rd.layer=, rd.live.ram) speak of an image; it is what the rescue menu adds for an installed system.",
    example: "root=LABEL=FLASH rd.image=/newroot.sfs",
  }),
  layers: list(values.layer, {
    syntax: "rd.layer=PATH|DEVICE",
    text: "Another layer on top of the image or the root device: an image file on the same medium, or a device (/dev/…, LABEL= and the like). May be given several times, the lowest layer first. A tmpfs is put on top unless rd.overlay=0 is given.",
    example: "root=LABEL=FLASH rd.image=/base.sfs rd.layer=/extra.sfs",
  }),
  archive: single(archive, {
    syntax: "rd.archive=URL|DEVICE:/PATH",
    text: "Unpack a tar archive, on a server or on a device, to memory: that is the root (root=tmpfs, the default with this parameter, or ramfs). It may be compressed by zstd or gzip, or by xz if the image has the program. rd.image.digest= and rd.image.sig verify it. It is refused whole if it is truncated, if a name or a symbolic link leads out of the tree, or if two entries have one name.",
    example: "rd.archive=LABEL=FLASH:/root.tar.zst",
  }),
  copyToRam: toggle({
    syntax: "rd.live.ram[=yes|no]",
    // live-boot has toram=NAME and archiso copytoram=auto, which ask for a copy too.
    aliases: ["toram", "copytoram"].map((name) => alias(`${name}[=yes|no]`, flagOrYes)),
    text: "Copy the image to memory first, if it fits; the medium can then be removed.",
    example: "root=live:LABEL=LIVE rd.live.ram",
  }),
};
