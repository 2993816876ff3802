import { gzipSync } from "bun";
import { findModule, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { waveOf } from "../../drivers/waves.ts";
import type { Content } from "../archive/content.ts";
import { plainPath } from "./module-file.ts";

/**
 * What most boots load besides the first wave of drivers: common filesystems, the parts of a live system, libraries. As plain
 * files they cost no decompression when they are loaded; together they are a few megabytes.
 */
const COMMON = /^kernel\/(lib|block|drivers\/block\/loop|fs\/(ext4|jbd2|mbcache|overlayfs|squashfs|isofs|fat|nls))\b/;

/** Returns whether most boots load a module, by its path below /lib/modules/VERSION. */
export function isCommonModule(path: string): boolean {
  return COMMON.test(path);
}

/** BusyBox's modprobe in the rescue shell decompresses gzip and xz, not zstd; levain decompresses gzip as fast as zstd. */
const SUFFIX = ".gz";

/** The result is 1 % larger than with level 9, in a sixth of the time. */
const LEVEL = 6;

/** Returns the modules of an image that stay plain files: those that nearly every boot loads, with their dependencies. */
export function listPlainModules(index: ModuleIndex, names: readonly string[]): ReadonlySet<string> {
  const lines = names.flatMap((name) => findModule(index, name) ?? []);
  const early = lines.filter(({ path }) => waveOf(path) === 0 || isCommonModule(path));
  return new Set(early.flatMap(({ name, dependencies }) => [name, ...dependencies]));
}

/** Returns the path of a module in an image, below /lib/modules/VERSION. */
export function storedPath(path: string, isPlain: boolean): string {
  return `${plainPath(path)}${isPlain ? "" : SUFFIX}`;
}

/**
 * Returns a module as an image has it: the same bytes each time, as the header of libdeflate has no time. It is compressed when its size
 * is asked for: by then another thread compresses the plain modules.
 */
export function contentOfPacked(bytes: Uint8Array<ArrayBuffer>): Content {
  let packed: Uint8Array | null = null;
  const pack = () => {
    packed ??= gzipSync(bytes, { level: LEVEL, library: "libdeflate" });
    return packed;
  };
  return {
    get size() {
      return pack().length;
    },
    chunks: () => [pack()],
  };
}
