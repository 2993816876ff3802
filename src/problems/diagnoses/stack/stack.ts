import { type ArchiveFault, describeArchiveFault } from "../../causes/archive.ts";
import { byHand, diagnosis, IF_MEMORY_RAN_OUT, inBootLoader, inBuilder, inShell } from "../../diagnosis.ts";
import { filesystemOption, moduleOption, withOption } from "../../kernel-options.ts";
import { printable } from "../../report.ts";
import { BOOT_WITHOUT_STORE, RESET_STORE } from "../../store-hints.ts";

interface ImageFacts {
  /** Its path on the medium, or as it is seen from the initramfs. */
  readonly path: string;
}

const COPY_AGAIN = byHand("copy it to the medium again, and unmount the medium before you remove it");
const COMPARE = byHand("compare its checksum with that of the original: sha256sum");

/** Why the kernel refuses an overlay. */
const OVERLAY_REFUSALS = {
  "other-lowers": "the changes were made on other layers",
  "in-use": "one of its directories is part of another overlay",
  overlapping: "one of its directories lies in another",
} as const;

const MAKE_AGAIN = byHand("make the archive again: tar --numeric-owner --xattrs -C TREE -cf root.tar .");

/** What stops the root from being stacked. */
export const STACK = {
  "image-missing": diagnosis<{ paths: readonly string[] }>({
    text: ({ paths }) => `the medium has no image ${paths.map(printable).join(" or ")}`,
    hints: () => [
      inBootLoader("correct rd.image= (a path on the root device), or rd.live.dir= and rd.live.squashimg="),
    ],
  }),
  "archive-refused": diagnosis<ImageFacts & { fault: ArchiveFault }>({
    text: ({ path }) => `could not unpack ${printable(path)}`,
    reasons: ({ fault }) => [printable(describeArchiveFault(fault))],
    hints: ({ fault: { flaw } }) => {
      if (flaw === "room") return [byHand("add memory")];
      // The kernel's limit for a tmpfs is half of the memory, unless size= says another.
      if (flaw === "full") return [inBootLoader("allow more: root=tmpfs:size=SIZE"), byHand("add memory")];
      if (flaw === "no-program")
        return [inBuilder("levain image --program /usr/bin/xz"), byHand("compress it by zstd")];
      return flaw === "cut" || flaw === "stream" ? [COPY_AGAIN, COMPARE] : [MAKE_AGAIN];
    },
  }),
  "archive-without-room": diagnosis<ImageFacts & { free: string }>({
    text: ({ path }) => `could not unpack ${printable(path)} to memory`,
    reasons: ({ free }) => [`only ${free}`],
    hints: () => [byHand("add memory")],
  }),
  "archive-stalled": diagnosis<ImageFacts & { seconds: number }>({
    text: ({ path }) => `could not unpack ${printable(path)}`,
    reasons: ({ seconds }) => [`its device has not answered for ${seconds} s`],
    hints: () => [byHand("check the medium and its cable")],
  }),
  "archive-process-ended": diagnosis<ImageFacts & { status: number }>({
    text: ({ path }) => `could not unpack ${printable(path)}`,
    reasons: ({ status }) => [`the process that unpacks it ended with status ${status}`],
    hints: () => [IF_MEMORY_RAN_OUT],
  }),
  "layers-missing": diagnosis<{ missing: readonly string[] }>({
    text: ({ missing }) => `the medium lacks ${missing.map(printable).join(" and ")}, on which the top layer lies`,
    reasons: () => ["the layer below NAME.LAST.squashfs is NAME.squashfs"],
    hints: () => [
      inBootLoader("correct layerfs-path= and live-media-path="),
      byHand("copy the missing layers to the medium"),
    ],
  }),
  "image-list-too-long": diagnosis<ImageFacts & { bytes: number }>({
    text: ({ path, bytes }) => `${printable(path)} is no list of images: it has ${bytes} bytes`,
    hints: () => [
      byHand("correct the file: it lists the names of images beside it"),
      inBootLoader("correct live-media-path= and module="),
    ],
  }),
  "image-empty": diagnosis<ImageFacts>({
    text: ({ path }) => `the image ${printable(path)} is empty`,
    hints: () => [byHand("copy it to the medium again")],
  }),
  "image-cut-off": diagnosis<ImageFacts & { bytes: number; wholeBytes: number }>({
    text: ({ path, bytes, wholeBytes }) =>
      `the image ${printable(path)} is shorter than its superblock says: ${bytes} of ${wholeBytes} bytes are there`,
    hints: () => [COPY_AGAIN],
  }),
  "image-damaged": diagnosis<ImageFacts & { part: string }>({
    text: ({ path, part }) => `the image ${printable(path)} is damaged: ${part} is not where its superblock says`,
    hints: () => [COPY_AGAIN, COMPARE],
  }),
  "image-unreadable": diagnosis<ImageFacts>({
    text: ({ path }) => `could not read the image ${printable(path)}`,
    hints: () => [byHand("check the medium and its cable, and whether an ISO file that holds the image is complete")],
  }),
  "image-of-disk": diagnosis<ImageFacts & { count: number }>({
    text: ({ path }) => `the image ${printable(path)} is that of a whole disk`,
    reasons: ({ count }) => [
      count === 0
        ? "its partition table is empty"
        : "no partition in it has the type of a root partition, and more or less than one may be the root",
    ],
    hints: ({ count }) =>
      count === 0
        ? [byHand("copy the image to the medium again")]
        : [
            byHand("give the partition of the root its type: sfdisk --part-type IMAGE NUMBER TYPE"),
            byHand("copy that partition into an image file of its own"),
          ],
  }),
  "loop-refused": diagnosis<ImageFacts & { hasLoops: boolean }>({
    text: ({ path }) => `could not attach the image ${printable(path)} to a loop device`,
    hints: ({ hasLoops }) =>
      hasLoops
        ? [inShell("see what the kernel says: dmesg"), byHand("copy the image to the medium again")]
        : [
            inBuilder("add the kernel's loop module to the image: levain image --module loop"),
            ...withOption(moduleOption("loop")),
          ],
  }),
  "image-not-mounted": diagnosis<ImageFacts>(({ path }) => `could not mount the image ${printable(path)}`),
  "image-not-encrypted": diagnosis<ImageFacts & { volumes: readonly string[] }>({
    text: ({ path }) => `the image ${printable(path)} lies outside the encrypted volumes that parameters name`,
    reasons: ({ volumes }) => [`the root has to lie in ${volumes.join(" or ")}`],
    hints: () => [inBootLoader("if the root is not encrypted, make the volume optional: rd.luks.options=UUID=nofail")],
  }),
  "overlay-refused": diagnosis<{
    place: string;
    kernel: readonly string[];
    /** Where the changes are; null: in memory. */
    store: string | null;
    why: keyof typeof OVERLAY_REFUSALS | null;
  }>({
    text: ({ place, store }) => `could not mount the overlay at ${place}${store === null ? "" : ` with ${store}`}`,
    reasons: ({ kernel, why }) => [
      ...(why === null ? [] : [OVERLAY_REFUSALS[why]]),
      ...kernel.map((line) => `kernel: ${line}`),
    ],
    hints: ({ store, why }) => [
      ...(store === null ? [] : [...(why === "other-lowers" ? [RESET_STORE] : []), BOOT_WITHOUT_STORE]),
      inBuilder("add the kernel's overlay module to the image: levain image --module overlay"),
      ...withOption(filesystemOption("overlay")),
      inBootLoader("correct rd.overlay="),
    ],
  }),
};
