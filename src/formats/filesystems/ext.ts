import { le16, le32 } from "../bytes.ts";
import { rawCrc32c } from "../checksums.ts";
import type { ByteSource } from "../facts.ts";
import { at, blockLog, filesystem, header, label, other, tag, uuid, version, when } from "../layout.ts";
import type { Signature } from "../signature.ts";

// struct ext2_super_block (fs/ext4/ext4.h), 1 KiB from the start.
const HAS_JOURNAL = 0x0004;
const JOURNAL_DEVICE = 0x0008;
const TEST_FILESYSTEM = 0x0004;
// Features that the drivers ext2 and ext3 know; any other makes it ext4.
const EXT_RO_COMPAT = 0x0007;
const EXT2_INCOMPAT = 0x0012;
const EXT3_INCOMPAT = 0x0016;

const HAS_SUM = 0x0400;
const MAX_BLOCK_LOG = 255;
const SUM_AT = 1020;

/** The checksum, if there is one, is right; otherwise at least the block size is plausible: the magic is short. */
function isExt(sb: Uint8Array): boolean {
  if ((le32(sb, 0x64) & HAS_SUM) === 0) return le32(sb, 0x18) <= MAX_BLOCK_LOG;
  return rawCrc32c(sb.subarray(0, SUM_AT)) === le32(sb, SUM_AT);
}

type Check = (sb: Uint8Array) => boolean;

const hasIncompat = (sb: Uint8Array, beside: number) => (le32(sb, 0x60) & ~beside) !== 0;
const hasUnknown = (sb: Uint8Array, incompat: number) =>
  (le32(sb, 0x64) & ~EXT_RO_COMPAT) !== 0 || hasIncompat(sb, incompat);
const hasJournal: Check = (sb) => (le32(sb, 0x5c) & HAS_JOURNAL) !== 0;
const isJournal: Check = (sb) => (le32(sb, 0x60) & JOURNAL_DEVICE) !== 0;
const isTest: Check = (sb) => (le32(sb, 0x160) & TEST_FILESYSTEM) !== 0;

function ext(type: string, check: Check): Signature {
  const isPlain = type === "ext2" || type === "jbd";
  const row = type === "jbd" ? other : filesystem;
  return row(
    type,
    at(1024 + 0x38, "\x53\xef"),
    header(1024, 1024, (sb) => check(sb) && isExt(sb)),
    [
      label(0x78, 16),
      uuid(0x68),
      when(hasJournal, uuid(0xd0, "EXT_JOURNAL")),
      tag("SEC_TYPE", (sb) => (isPlain || hasIncompat(sb, EXT2_INCOMPAT) ? null : "ext2")),
      version((sb) => `${le32(sb, 0x4c)}.${le16(sb, 0x3e)}`),
      blockLog((sb) => le32(sb, 0x18), 1024),
      when(() => type === "jbd", uuid(0x68, "LOGUUID")),
    ],
  );
}

/** The family of ext: ext4 has a feature that ext3 does not know, ext3 is ext2 with a journal; jbd is an external journal. */
export const EXT = [
  // ext4 under development: a flag says that only a test driver may use it.
  ext("ext4dev", (sb) => !isJournal(sb) && isTest(sb)),
  ext("ext4", (sb) => !isJournal(sb) && hasUnknown(sb, EXT3_INCOMPAT) && !isTest(sb)),
  ext("ext3", (sb) => hasJournal(sb) && !hasUnknown(sb, EXT3_INCOMPAT)),
  ext("ext2", (sb) => !hasJournal(sb) && !hasUnknown(sb, EXT2_INCOMPAT)),
  ext("jbd", isJournal),
];

/** Returns when a filesystem was last written, in seconds since 1970, as its superblock says; null if it does not. Throws SyscallError if it cannot be read. */
export function readLastWrite(source: ByteSource, type: string | null): number | null {
  if (!/^ext[234]$/.test(type ?? "")) return null;
  // s_wtime and s_wtime_hi (fs/ext4/ext4.h).
  const superblock = source.read(1024, 1024);
  if (superblock.length < 1024) return null;
  const seconds = le32(superblock, 0x30) + (superblock[0x274] ?? 0) * 2 ** 32;
  return seconds === 0 ? null : seconds;
}
