import { deferred } from "../network/deferred.ts";
import { alias, single, toggle } from "../parameter.ts";
import { nfsRoot } from "../sources/nfs-source.ts";
import * as values from "../values.ts";

/** Media that other projects build: their parameters, with their meaning. */
export const MEDIA = {
  isLive: toggle({
    syntax: "rd.live.image[=yes|no]",
    text: "Treat root= as root=live: (dracut's older spelling).",
    example: "root=LABEL=LIVE rd.live.image",
  }),
  liveDirectory: single(values.directoryPath, {
    syntax: "rd.live.dir=PATH",
    aliases: ["live-media-path=PATH"],
    fallback: "LiveOS; with boot=live: live; with boot=casper: casper",
    text: "The directory of the image on a live medium; / is its top.",
    example: "root=live:LABEL=LIVE rd.live.dir=images",
  }),
  liveImage: single(values.filePath, {
    syntax: "rd.live.squashimg=NAME",
    fallback: "squashfs.img, else rootfs.img or ext3fs.img",
    text: "The name of the image in that directory. If it contains LiveOS/rootfs.img, that file is the root.",
    example: "root=live:LABEL=LIVE rd.live.squashimg=root.sfs",
  }),
  boot: single(values.text, {
    syntax: "boot=live|casper|nfs",
    // initramfs-tools reads it from its environment as well, and casper(7) shows it like that.
    aliases: ["BOOT=casper"],
    fallback: "the medium is the device of root=",
    text: "live: a medium of Debian's live-boot: the first device with images in its directory live (live-media-path=), or the device that live-media= names. All images are layers, in the order of filesystem.module or of their names. casper: a medium of Ubuntu, with the directory casper: see layerfs-path=. nfs: as root=/dev/nfs.",
    example: "boot=live",
  }),
  netBoot: single(values.text, {
    syntax: "netboot=nfs",
    bare: "nfs",
    text: "For boot=live and boot=casper: the medium is the directory of nfsroot= on an NFS server.",
    example: "boot=live netboot=nfs nfsroot=192.0.2.1:/srv/live",
  }),
  archNfs: single(deferred(nfsRoot), {
    syntax: "archiso_nfs_srv=SERVER:PATH",
    text: "A medium of Arch Linux in a directory of an NFS server.",
    example: "archisobasedir=arch archiso_nfs_srv=192.0.2.1:/srv/arch",
  }),
  liveMedia: single(values.liveMedia, {
    syntax: "live-media=DEVICE|removable|removable-usb",
    aliases: ["bootfrom=DEVICE"],
    fallback: "levain searches every device",
    text: "The medium of boot=live or boot=casper; if it does not appear, levain searches every device. removable: only removable disks; removable-usb: only those on USB.",
    example: "boot=live live-media=LABEL=DEBIAN",
  }),
  liveModule: single(values.fileName, {
    syntax: "module=NAME",
    fallback: "filesystem",
    text: "For boot=live: the file NAME.module lists the layers.",
    example: "boot=live module=desktop",
  }),
  casperLayer: single(values.layerPath, {
    syntax: "layerfs-path=PATH",
    fallback: "all images in the directory, in the order of their names",
    text: "For boot=casper: the top layer, in the directory of the images. Those below it have its name without the last part: a.b.squashfs lies on a.squashfs. A PATH that begins with a slash begins at the top of the medium, and /cdrom in front of it is left out.",
    example: "boot=casper layerfs-path=minimal.standard.live.squashfs",
  }),
  casperUuid: single(values.text, {
    syntax: "uuid=UUID",
    aliases: [alias("ignore_uuid", () => "")],
    fallback: "any medium; ignore_uuid means the same",
    text: "For boot=casper: the medium is one with this UUID, or one whose .disk/casper-uuid-… contains it. The device of live-media= need not have it.",
    example: "boot=casper uuid=3f5ad593-4546-4a94-a374-bcfb68aa11f7",
  }),
  archDirectory: single(values.directoryPath, {
    syntax: "archisobasedir=PATH",
    fallback: "arch",
    text: "A medium of Arch Linux: the directory of PATH/MACHINE/airootfs.sfs or airootfs.erofs, with MACHINE as uname -m prints it.",
    example: "archisobasedir=rescue archisolabel=ARCH_202511",
  }),
  archDevice: single(values.device, {
    syntax: "archisodevice=DEVICE",
    aliases: [
      alias("archisolabel=LABEL", (value) => (value === null ? value : `LABEL=${value}`)),
      alias("archisosearchuuid=UUID", (value) => (value === null ? value : `UUID=${value}`)),
    ],
    fallback: "the first device with the image",
    text: "The medium of Arch Linux.",
    example: "archisodevice=LABEL=ARCH_202511",
  }),
  archFile: single(values.filePath, {
    syntax: "archisosearchfilename=PATH",
    aliases: [alias("archisosearchuuid=UUID", (value) => (value === null ? undefined : `/boot/${value}.uuid`))],
    fallback: "none; with archisosearchuuid=: /boot/UUID.uuid",
    text: "The medium of Arch Linux is the first device with this file; the device of archisodevice= takes precedence.",
    example: "archisosearchfilename=/boot/2025-11-01-10-00-00-00.uuid",
  }),
  iso: single(values.filePathOrNothing, {
    syntax: "iso-scan/filename=PATH",
    aliases: [
      "findiso=PATH",
      "img_loop=PATH",
      ...["fromiso", "isofrom"].map((name) => alias(`${name}=/dev/…/PATH`, isoPath)),
    ],
    fallback: "the image is on the medium itself; an empty PATH means the same",
    text: "The live image is inside an ISO file: PATH on img_dev=, else on the first device that has it; with rd.image=, on the root device.",
    example: "root=live:LABEL=LIVE iso-scan/filename=/iso/live.iso",
  }),
  isoDevice: single(values.device, {
    syntax: "img_dev=DEVICE",
    aliases: [
      alias("img_label=LABEL", (value) => (value === null ? value : `LABEL=${value}`)),
      ...["fromiso", "isofrom"].map((name) => alias(`${name}=/dev/…/PATH`, isoDevice)),
    ],
    fallback: "levain searches every device",
    text: "The device with the ISO file.",
    example: "archisolabel=ARCH_202511 img_dev=LABEL=DATA img_loop=/arch.iso",
  }),
};

/** live-boot's form, a device and the path on it; names below /dev/disk and /dev/mapper have one part more. */
const ISO = /^((?:\/dev\/disk\/by-[a-z]+|\/dev\/mapper|\/dev)\/[^/]+)(\/.+)$/;

function isoPath(value: string | null): string | null | undefined {
  return ISO.exec(value ?? "")?.[2] ?? value ?? undefined;
}

function isoDevice(value: string | null): string | undefined {
  return ISO.exec(value ?? "")?.[1];
}
