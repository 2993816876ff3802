import { gzipSync } from "bun";
import { plainPath } from "./module-file.ts";

/** What most boots load besides the drivers of disks: common filesystems, the parts of a live system, libraries. */
const COMMON = /^kernel\/(lib|block|drivers\/block\/loop|fs\/(ext4|jbd2|mbcache|overlayfs|squashfs|isofs|fat|nls))\b/;

/** Returns whether most boots load a module, by its path below /lib/modules/VERSION. */
export function isCommonModule(path: string): boolean {
  return COMMON.test(path);
}

/**
 * Modules that stay plain files. The kernel unpacks them at every boot, about 25 ms (icount) and 1.4 MiB of memory for each MiB, and a
 * boot that needs one of the others decompresses it in the same time. So they are those that every virtual machine loads first.
 */
const PLAIN = /^kernel\/drivers\/(virtio\/virtio(_ring|_pci\w*)?|block\/virtio_blk)\.ko/;

/** BusyBox's modprobe in the rescue shell decompresses gzip and xz, not zstd; levain decompresses gzip as fast as zstd. */
const SUFFIX = ".gz";

/** What takes `levain image` the most time. The result is 1 % larger than with level 6, in four fifths of the time; with level 4, 3.5 % in two thirds. */
const LEVEL = 5;

/** Returns the path of a module in an image, below /lib/modules/VERSION. */
export function storedPath(path: string, isPacked: boolean): string {
  return `${plainPath(path)}${isPacked && !PLAIN.test(path) ? SUFFIX : ""}`;
}

/** Compresses a module for an image: the same bytes each time, as the header of libdeflate has no time. */
export function pack(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  return gzipSync(bytes, { level: LEVEL, library: "libdeflate" });
}
