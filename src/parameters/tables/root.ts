import { alias, flagOr, isAsked, isOverlayDevice, list, single } from "../parameter.ts";
import * as values from "../values.ts";

/** What is done with the root device: where it is, how long to wait for it, how it is mounted. */
export const ROOT = {
  root: single(values.root, {
    syntax: "root=DEVICE",
    fallback: "the initramfs itself is the final system; see rd.systemd.gpt_auto=",
    text: "The root device: /dev/…, LABEL=, UUID=, PARTUUID= (with /PARTNROFF=n), PARTLABEL=, SIBLING=n:DEVICE (partition n of the disk that has DEVICE), /dev/disk/by-label|uuid|partuuid|partlabel/…, major:minor or the kernel's hexadecimal number. live:DEVICE takes an image on it (rd.live.dir=, rd.live.squashimg=) and puts a tmpfs over it. gpt-auto: see rd.systemd.gpt_auto=. /dev/ram0: the initramfs itself.",
    example: "root=LABEL=ROOT",
  }),
  rootFallbacks: list(values.deviceSpecs, {
    syntax: "rootfallback=DEVICE",
    fallback: "none",
    text: "A second choice where the root device does not come; may be given several times, in the order to try.",
    example: "root=LABEL=A rootfallback=LABEL=B",
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
    text: "How long to wait for the root device; 0, like a bare rootwait, is for ever. The last of them counts.",
    example: "root=LABEL=ROOT rd.timeout=5",
  }),
  delayMs: single(values.waitingTimeMs, {
    syntax: "rootdelay=SECONDS",
    fallback: "30",
    text: "How long to wait for the root device where rd.timeout= and rootwait do not say it, at least 30 seconds: a limit, never a sleep.",
    example: "root=LABEL=ROOT rootdelay=60",
  }),
  types: single(values.filesystemTypes, {
    syntax: "rootfstype=TYPE[,TYPE…]",
    fallback: "what the device's superblock says",
    text: "Filesystem types to mount the root device as, in the order to try.",
    example: "root=LABEL=ROOT rootfstype=ext4,xfs",
  }),
  options: single(values.text, {
    syntax: "rootflags=OPTIONS",
    aliases: ["img_flags=OPTIONS"],
    fallback: "none",
    text: "Mount options for the root device, separated by commas.",
    example: "root=LABEL=ROOT rootflags=noatime",
  }),
  check: single(values.oneOf(["auto", "force", "skip"]), {
    syntax: "fsck.mode=auto|force|skip",
    aliases: [
      alias("rd.skipfsck", () => "skip"),
      { ...alias("fastboot", () => "skip"), isPassedOn: true },
      { ...alias("forcefsck", () => "force"), isPassedOn: true },
    ],
    fallback: "auto",
    text: "Whether the root is checked before it is mounted, where the image has the program for it (fsck.TYPE): as its superblock asks for it, even where that says that it is clean, or not at all. fastboot and forcefsck are passed on to init too.",
    example: "root=LABEL=ROOT fsck.mode=skip",
  }),
  writable: single(values.flag, {
    syntax: "rw",
    aliases: [alias("ro", () => "0")],
    bare: "1",
    fallback: "ro",
    text: "Mount the root device writable (rw) or read-only (ro); the last of the two counts. A device below an image or an overlay is never written to.",
    example: "root=LABEL=ROOT rw",
  }),
};

/** Image files on the root device, and what is stacked over a root. */
export const LAYERS = {
  image: single(values.filePath, {
    syntax: "rd.image=PATH",
    fallback: "none, the device itself is the root; for root=live: see rd.live.dir=",
    text: "An image file (squashfs, erofs, …) on the root device that is the root. A tmpfs is put over it, unless rd.overlay=0.",
    example: "root=LABEL=FLASH rd.image=/newroot.sfs",
  }),
  copyToRam: single(values.flag, {
    syntax: "rd.live.ram[=yes|no]",
    // live-boot's toram=NAME and archiso's copytoram=auto ask for it with conditions of their own.
    aliases: ["toram", "copytoram"].map((name) => alias(`${name}[=yes|no]`, flagOr("1"))),
    bare: "1",
    fallback: "no",
    text: "Copy the image to memory first, where it fits; the medium can then be taken out.",
    example: "root=live:LABEL=LIVE rd.live.ram",
  }),
  overlay: single(values.overlay, {
    syntax: "rd.overlay[=tmpfs[:size=SIZE]]",
    aliases: [
      "overlaytmpfs[=yes|no]",
      // dracut's "none" is: nothing persistent, which is its tmpfs; a device to write to is told as not supported.
      alias("rd.live.overlay=none", (value) => (isOverlayDevice(value) ? undefined : overlayWord(value))),
      alias("rd.live.overlay.overlayfs[=yes|no]", (value) => (isAsked(value) ? "tmpfs" : undefined)),
      // "state" is for the real init, and "no" is not: no overlay over an image.
      alias("systemd.volatile=overlay", (value) => (value === "overlay" ? "tmpfs" : undefined)),
      alias("overlayroot=tmpfs", (value) => (/^tmpfs(:|$)/.test(value ?? "") ? "tmpfs" : undefined)),
    ],
    bare: "tmpfs",
    fallback: "a tmpfs over an image (rd.image=, root=live:), none over a device",
    text: "Put a tmpfs over the read-only root, so that everything can be changed until the power goes; its size is tmpfs's own default (half of the memory), bytes with K, M or G, or per cent. rd.overlay=0: no overlay.",
    example: "root=LABEL=ROOT rd.overlay=tmpfs:size=100M",
  }),
  overlaySize: single(values.size, {
    syntax: "rd.overlay.size=SIZE",
    aliases: [
      "cow_spacesize=SIZE",
      "overlay-size=SIZE",
      // More of a tmpfs's options than its size are no use to a boot.
      alias("overlaytmpfsflags=size=SIZE", (value) => /(?:^|,)size=([^,]*)/.exec(value ?? "")?.[1]),
      alias("rd.live.overlay.size=MIB", (value) => (value !== null && /^\d+$/.test(value) ? `${value}M` : value)),
    ],
    fallback: "tmpfs's own",
    text: "The size of the overlay's tmpfs, where rd.overlay= does not say it; asks for no overlay by itself.",
    example: "root=LABEL=ROOT rd.overlay rd.overlay.size=64M",
  }),
};

/** "none", "off" and "auto" are no device; yes and no are what they are here. */
function overlayWord(value: string | null): string {
  return value === null || /^(?:none|off|auto|)$/.test(value) ? "tmpfs" : value;
}
