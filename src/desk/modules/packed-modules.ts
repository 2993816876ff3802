import { gzipSync } from "bun";
import { findModule, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { plainPath } from "./module-file.ts";

/** What most boots load besides the drivers of disks: common filesystems, the parts of a live system, libraries. */
const COMMON = /^kernel\/(lib|block|drivers\/block\/loop|fs\/(ext4|jbd2|mbcache|overlayfs|squashfs|isofs|fat|nls))\b/;

/** Returns whether most boots load a module, by its path below /lib/modules/VERSION. */
export function isCommonModule(path: string): boolean {
  return COMMON.test(path);
}

/**
 * Modules that stay plain files. The kernel unpacks them at every boot, about 25 ms (icount) and 1.4 MiB of memory for each MiB, so they
 * are those that most boots load: what else is needed is decompressed when it is loaded, which takes no longer.
 */
const PLAIN =
  /^kernel\/(drivers\/(virtio|nvme\/host\/nvme(-core)?\.|block\/(virtio_blk|loop)\.)|fs\/(ext4|jbd2|mbcache|overlayfs|squashfs|fat|nls)\/)/;

/** BusyBox's modprobe in the rescue shell decompresses gzip and xz, not zstd; levain decompresses gzip as fast as zstd. */
const SUFFIX = ".gz";

/** What takes `levain image` the most time. The result is 1 % larger than with level 6, in four fifths of the time; with level 4, 3.5 % in two thirds. */
const LEVEL = 5;

/** Returns the modules of an image that stay plain files, with their dependencies. */
export function listPlainModules(index: ModuleIndex, names: readonly string[]): ReadonlySet<string> {
  const lines = names.flatMap((name) => findModule(index, name) ?? []);
  const early = lines.filter(({ path }) => PLAIN.test(path));
  return new Set(early.flatMap(({ name, dependencies }) => [name, ...dependencies]));
}

/** Returns the path of a module in an image, below /lib/modules/VERSION. */
export function storedPath(path: string, isPlain: boolean): string {
  return `${plainPath(path)}${isPlain ? "" : SUFFIX}`;
}

/** Compresses a module for an image: the same bytes each time, as the header of libdeflate has no time. */
export function pack(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  return gzipSync(bytes, { level: LEVEL, library: "libdeflate" });
}
