import { alias, flagOr, list, single } from "../parameter.ts";
import * as values from "../values.ts";

/** Where the root lies on a medium that another project has made: its own parameters, with its own meaning. */
export const MEDIA = {
  isLive: single(values.flag, {
    syntax: "rd.live.image[=yes|no]",
    bare: "1",
    fallback: "no",
    text: "Take root= for root=live: (dracut's older spelling).",
    example: "root=LABEL=LIVE rd.live.image",
  }),
  liveDirectory: single(values.filePath, {
    syntax: "rd.live.dir=PATH",
    aliases: ["live-media-path=PATH"],
    fallback: "LiveOS; with boot=live: live",
    text: "The directory of the image on a live medium.",
    example: "root=live:LABEL=LIVE rd.live.dir=images",
  }),
  liveImage: single(values.filePath, {
    syntax: "rd.live.squashimg=NAME",
    fallback: "squashfs.img, else rootfs.img or ext3fs.img",
    text: "The name of the image in that directory. Where it holds a LiveOS/rootfs.img, that is the root.",
    example: "root=live:LABEL=LIVE rd.live.squashimg=root.sfs",
  }),
  boot: single(values.text, {
    syntax: "boot=live",
    fallback: "the medium is what root= says",
    text: "A medium of Debian's live-boot: the first device that has images in its directory live (live-media-path=), or the one that live-media= names. All images are layers, in the order of filesystem.module or of their names.",
    example: "boot=live",
  }),
  liveMedia: single(values.liveMedia, {
    syntax: "live-media=DEVICE|removable|removable-usb",
    aliases: ["bootfrom=DEVICE"],
    fallback: "every device is looked at",
    text: "The medium of boot=live; where it does not come, every device is looked at. removable: only disks that can be taken out; removable-usb: only those on USB.",
    example: "boot=live live-media=LABEL=DEBIAN",
  }),
  liveModule: single(values.fileName, {
    syntax: "module=NAME",
    fallback: "filesystem",
    text: "For boot=live: the list of the layers is NAME.module.",
    example: "boot=live module=desktop",
  }),
  archDirectory: single(values.filePath, {
    syntax: "archisobasedir=PATH",
    fallback: "arch",
    text: "A medium of Arch Linux: the directory of PATH/MACHINE/airootfs.sfs or airootfs.erofs, MACHINE as uname -m says it.",
    example: "archisobasedir=rescue archisolabel=ARCH_202511",
  }),
  archDevice: single(values.device, {
    syntax: "archisodevice=DEVICE",
    aliases: [
      alias("archisolabel=LABEL", (value) => (value === null ? value : `LABEL=${value}`)),
      alias("archisosearchuuid=UUID", (value) => (value === null ? value : `UUID=${value}`)),
    ],
    fallback: "the first device that has the image",
    text: "The medium of Arch Linux.",
    example: "archisodevice=LABEL=ARCH_202511",
  }),
  archFile: single(values.filePath, {
    syntax: "archisosearchfilename=PATH",
    aliases: [alias("archisosearchuuid=UUID", (value) => (value === null ? undefined : `/boot/${value}.uuid`))],
    fallback: "not searched for; with archisosearchuuid=: /boot/UUID.uuid",
    text: "The medium of Arch Linux is the first device that has this file, where no archisodevice= comes before it.",
    example: "archisosearchfilename=/boot/2025-11-01-10-00-00-00.uuid",
  }),
  iso: single(values.filePathOrNothing, {
    syntax: "iso-scan/filename=PATH",
    aliases: [
      "findiso=PATH",
      "img_loop=PATH",
      ...["fromiso", "isofrom"].map((name) => alias(isoSyntax(name), isoPath)),
    ],
    fallback: "the medium itself holds the image; an empty PATH says so too",
    text: "The live image lies in an ISO file: at PATH of img_dev=, else of the first device that has it. With rd.image=: of the root device.",
    example: "root=live:LABEL=LIVE iso-scan/filename=/iso/live.iso",
  }),
  isoDevice: single(values.device, {
    syntax: "img_dev=DEVICE",
    aliases: [
      alias("img_label=LABEL", (value) => (value === null ? value : `LABEL=${value}`)),
      ...["fromiso", "isofrom"].map((name) => alias(isoSyntax(name), isoDevice)),
    ],
    fallback: "every device is looked at",
    text: "The device with the ISO file.",
    example: "archisolabel=ARCH_202511 img_dev=LABEL=DATA img_loop=/arch.iso",
  }),
};

/** More layers, and systemd's words for what is decided here. */
export const EXTRAS = {
  layers: list(values.layers, {
    syntax: "rd.layer=PATH|DEVICE",
    fallback: "none",
    text: "One more layer above the image or the root device: an image file on the same medium, or a device (/dev/… or LABEL= and the like). May be given several times, the lowest first. A tmpfs is put over them, unless rd.overlay=0.",
    example: "root=LABEL=FLASH rd.image=/base.sfs rd.layer=/extra.sfs",
  }),
  gptAuto: single(values.flag, {
    syntax: "rd.systemd.gpt_auto=yes|no",
    aliases: [alias("systemd.gpt_auto[=yes|no]", flagOr("1"))],
    bare: "1",
    fallback: "yes",
    text: "Without root=, on a machine whose EFI boot loader names its partition (LoaderDevicePartUUID): the root is the partition of this machine's GPT root type on the same disk.",
    example: "rd.systemd.gpt_auto=no",
  }),
};

function isoSyntax(name: string): string {
  return `${name}=/dev/…/PATH`;
}

/** live-boot's form: a device and the path on it in one. Links of udev and of the device mapper are one part longer. */
function splitIso(value: string | null): { device: string; path: string } | null {
  const form = /^((?:\/dev\/disk\/by-[a-z]+|\/dev\/mapper|\/dev)\/[^/]+)(\/.+)$/.exec(value ?? "");
  return form === null ? null : { device: form[1] ?? "", path: form[2] ?? "" };
}

function isoPath(value: string | null): string | null | undefined {
  return splitIso(value)?.path ?? value ?? undefined;
}

function isoDevice(value: string | null): string | undefined {
  return splitIso(value)?.device;
}
