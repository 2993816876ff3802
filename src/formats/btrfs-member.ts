import { holds, le64 } from "./bytes.ts";
import type { ByteSource } from "./facts.ts";

const SUPERBLOCK = 64 * 1024;
const MAGIC = "_BHRfS_M";

/** A device of a btrfs filesystem: how many devices that has, the number of this one, and its generation, which each commit raises on every device. */
export type BtrfsMember = Readonly<{ deviceCount: number; deviceId: bigint; generation: bigint }>;

/** Reads num_devices, dev_item.devid and generation of struct btrfs_super_block (linux/btrfs_tree.h); null if it is not btrfs. */
export function readBtrfsMember(source: ByteSource): BtrfsMember | null {
  const sb = source.read(SUPERBLOCK, 4096);
  if (sb.length < 4096 || !holds(sb, 0x40, MAGIC)) return null;
  return { deviceCount: Number(le64(sb, 0x88)), deviceId: le64(sb, 0xc9), generation: le64(sb, 0x48) };
}
