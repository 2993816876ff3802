import { be32, be64, le16, le32, le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** True if the journal of a filesystem holds changes that are not in their places yet: it was not unmounted. False if that cannot be read. */
export type IsUnclean = (source: ByteSource) => boolean;

const KIB = 1024;

/** EXT4_FEATURE_INCOMPAT_RECOVER in s_feature_incompat (fs/ext4/ext4.h). */
export const isExtUnclean: IsUnclean = (source) => (le32(source.read(KIB + 0x60, 4), 0) & 4) !== 0;

/** log_root of struct btrfs_super_block (linux/btrfs_tree.h): the log tree of what fsync wrote after the last commit. */
export const isBtrfsUnclean: IsUnclean = (source) => le64(source.read(64 * KIB + 0x60, 8), 0) !== 0n;

/** NILFS_VALID_FS in s_state of struct nilfs_super_block (linux/nilfs2_ondisk.h). */
export const isNilfsUnclean: IsUnclean = (source) => {
  const state = source.read(KIB + 116, 2);
  return state.length === 2 && (le16(state, 0) & 1) === 0;
};

/** CP_UMOUNT_FLAG in ckpt_flags of the newer of the two struct f2fs_checkpoint (linux/f2fs_fs.h). */
export const isF2fsUnclean: IsUnclean = (source) => {
  const superblock = source.read(KIB, 80);
  const blockBytes = 2 ** Math.min(le32(superblock, 16), 16);
  const packBytes = blockBytes * 2 ** Math.min(le32(superblock, 20), 16);
  const first = le32(superblock, 76) * blockBytes;
  const [one = EMPTY, other = EMPTY] = [first, first + packBytes].map((at) => source.read(at, 136));
  const newest = le64(other, 0) > le64(one, 0) ? other : one;
  return newest.length === 136 && (le32(newest, 132) & 1) === 0;
};

const EMPTY = new Uint8Array();

/** A basic block (BBSIZE), the unit of the log. */
const BLOCK = 512;
/** XLOG_HEADER_MAGIC_NUM (fs/xfs/libxfs/xfs_log_format.h). */
const MAGIC = 0xfeedbabe;
/** XLOG_UNMOUNT_TRANS, in oh_flags of struct xlog_op_header. */
const UNMOUNT = 0x20;
/** XLOG_MAX_RECORD_BSIZE and a header for each 32 KiB of it. */
const MOST_RECORD_BLOCKS = (256 * 1024) / BLOCK + 8;

/** The log inside the filesystem. */
interface Log {
  readonly blocks: number;
  read(block: number, count: number): Uint8Array;
}

/** True if the last record of an XFS log is not the one that an unmount writes. False for a log on another device. */
export const isXfsUnclean: IsUnclean = (source) => {
  const log = openLog(source);
  if (log === null) return false;
  const head = findHead(log);
  for (let back = 1; back <= MOST_RECORD_BLOCKS && back <= head; back++) {
    const at = head - back;
    const header = log.read(at, 1);
    if (be32(header, 0) === MAGIC) return !isUnmount(log, header, at);
  }
  return false;
};

/** Returns the place of the log by struct xfs_dsb; null if it is not inside. */
function openLog(source: ByteSource): Log | null {
  const sb = source.read(0, 128);
  const start = be64(sb, 48);
  const blockLog = sb[120] ?? 0;
  const groupLog = BigInt(sb[124] ?? 0);
  const blocks = be32(sb, 96) * 2 ** (blockLog - 9);
  if (start === 0n || blockLog < 9 || blockLog > 16 || groupLog > 32n) return null;
  // A block number has the allocation group above the block in the group.
  const block = (start >> groupLog) * BigInt(be32(sb, 84)) + (start & ((1n << groupLog) - 1n));
  const first = Number(block) * 2 ** blockLog;
  if (first + blocks * BLOCK > source.size) return null;
  return { blocks, read: (at, count) => source.read(first + at * BLOCK, count * BLOCK) };
}

/** Each block begins with the number of the round in which it was written, but for a header, which has it after its magic number. */
function cycleAt(log: Log, block: number): number {
  const bytes = log.read(block, 1);
  return be32(bytes, be32(bytes, 0) === MAGIC ? 4 : 0);
}

/** Returns the block after the newest: the first that belongs to an older round than block 0; the end of the log if there is none. */
function findHead(log: Log): number {
  const newest = cycleAt(log, 0);
  let [low, high] = [0, log.blocks];
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (cycleAt(log, middle) === newest) low = middle;
    else high = middle;
  }
  return high;
}

/** True if the record at `at` says that the filesystem was unmounted: its one operation has that flag. */
function isUnmount(log: Log, header: Uint8Array, at: number): boolean {
  const headers = be32(header, 8) > 1 ? Math.max(1, Math.ceil(be32(header, 320) / (32 * 1024))) : 1;
  const operation = log.read(at + headers, 1);
  return be32(header, 40) === 1 && ((operation[9] ?? 0) & UNMOUNT) !== 0;
}
