import { formatMib } from "../../problems/size.ts";
import { align } from "./cpio.ts";
import type { ImageEntry } from "./tree.ts";

const MIB = 1 << 20;
const PAGE_BYTES = 4096;
// Measured with Debian's 6.1 kernels, the cloud kernel needs 12 MiB less than the full one: what the kernel has reserved when it
// limits the tmpfs, and what it has allocated when it has unpacked the last file.
const KERNEL_BYTES = 68 * MIB;
const UNPACKING_BYTES = 84 * MIB;
// The runtime, and what a boot allocates besides the files.
const BOOT_BYTES = 64 * MIB;
const STEP_BYTES = 8 * MIB;

/** The least memory of a machine that boots an image, in bytes. */
export type MemoryNeed = ReturnType<typeof estimateMemoryOf>;

/** Estimates the memory for these entries and their image of `imageBytes`. */
export function estimateMemory(entries: readonly ImageEntry[], imageBytes: number): MemoryNeed {
  // The names of one file share its content.
  const contents = new Set(entries.flatMap((entry) => (entry.kind === "file" ? [entry.content] : [])));
  const sizes = [...contents].map(({ size }) => size);
  return estimateMemoryOf(sizes, imageBytes);
}

/**
 * Estimates the memory for the sizes of an image's files, hard links counted once (init_rootfs in init/do_mounts.c, mm/shmem.c).
 * The kernel leaves out what does not fit into the tmpfs, with no more than a line in its log.
 */
export function estimateMemoryOf(fileSizes: readonly number[], imageBytes: number) {
  const unpacked = fileSizes.reduce((sum, size) => sum + align(size, PAGE_BYTES), 0);
  // The kernel frees the image once it has unpacked all of it (free_initrd_mem), before it starts /init.
  const peak = unpacked + Math.max(imageBytes + UNPACKING_BYTES, KERNEL_BYTES + BOOT_BYTES);
  return {
    /** With root= on the command line, the initramfs is a ramfs, which has no limit. */
    withRoot: align(peak, STEP_BYTES),
    /** Without, it is a tmpfs, limited to half of the memory that the kernel and the image leave. */
    withoutRoot: align(Math.max(2 * unpacked + imageBytes + KERNEL_BYTES, peak), STEP_BYTES),
  };
}

/** Formats a need as "320 MiB to boot, 384 MiB without root= on the command line". */
export function describeMemory({ withRoot, withoutRoot }: MemoryNeed): string {
  return `${formatMib(withRoot)} to boot, ${formatMib(withoutRoot)} without root= on the command line`;
}
