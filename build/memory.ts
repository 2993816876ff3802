import type { ImageEntry } from "./tree.ts";

const MIB = 1 << 20;
const PAGE_BYTES = 4096;
// What the kernel has taken for itself before it unpacks, and the directory entries and inodes of the unpacked tree.
const KERNEL_BYTES = 48 * MIB;
const STEP_BYTES = 32 * MIB;

/**
 * The least memory of a machine, in bytes, that unpacks these entries from an image of `imageBytes`. The kernel's rootfs is
 * a tmpfs limited to half of the memory that is left when the kernel and the image have taken theirs (init/do_mounts.c,
 * mm/shmem.c); what does not fit is cut off with no more than a line in its log.
 */
export function estimateMemory(entries: readonly ImageEntry[], imageBytes: number): number {
  // The names of one file share its content.
  const contents = new Set(entries.flatMap((entry) => (entry.kind === "file" ? [entry.content] : [])));
  const unpacked = [...contents].reduce((sum, { size }) => sum + align(size, PAGE_BYTES), 0);
  return align(2 * unpacked + imageBytes + KERNEL_BYTES, STEP_BYTES);
}

function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
