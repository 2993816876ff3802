import type { ImageEntry } from "./tree.ts";

const MIB = 1 << 20;
const PAGE_BYTES = 4096;
// Seen with Debian's 6.1 kernels: what the kernel has taken for itself before it unpacks.
const KERNEL_BYTES = 56 * MIB;
// The runtime and what a boot does beside the files.
const BOOT_BYTES = 64 * MIB;
const STEP_BYTES = 32 * MIB;

/** The least memory of a machine that boots an image, in bytes. */
export interface MemoryNeed {
  /** Where the kernel's command line has a root=: the initramfs is a ramfs, which takes what it needs. */
  readonly withRoot: number;
  /** Where it has none: the initramfs is a tmpfs, limited to half of the memory that the kernel and the image leave. */
  readonly withoutRoot: number;
}

/**
 * What these entries need, unpacked from an image of `imageBytes` (init_rootfs in init/do_mounts.c, mm/shmem.c). What does
 * not fit into the tmpfs is left out with no more than a line in the kernel's log.
 */
export function estimateMemory(entries: readonly ImageEntry[], imageBytes: number): MemoryNeed {
  // The names of one file share its content.
  const contents = new Set(entries.flatMap((entry) => (entry.kind === "file" ? [entry.content] : [])));
  return estimateMemoryOf(
    [...contents].map(({ size }) => size),
    imageBytes,
  );
}

/** The same for the sizes of the files in an image, each file once however many names it has. */
export function estimateMemoryOf(fileSizes: readonly number[], imageBytes: number): MemoryNeed {
  const unpacked = fileSizes.reduce((sum, size) => sum + align(size, PAGE_BYTES), 0);
  const before = imageBytes + KERNEL_BYTES;
  return {
    withRoot: align(unpacked + before + BOOT_BYTES, STEP_BYTES),
    withoutRoot: align(Math.max(2 * unpacked, unpacked + BOOT_BYTES) + before, STEP_BYTES),
  };
}

function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
