import { be16, be32, be64, holds } from "../bytes.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addUuid } from "../tags.ts";

const GIB = 1024 * 1024 * 1024;

const isBetween = (value: number, low: number, high: number) => value >= low && value <= high;

/** The checks of libblkid on struct xfs_dsb (fs/xfs/libxfs/xfs_format.h): sizes, their logarithms and the sum of blocks agree. */
function isValid(sb: Uint8Array): boolean {
  const blockSize = be32(sb, 4);
  const sectorSize = be16(sb, 102);
  const inodeSize = be16(sb, 104);
  const [blockLog = 0, sectorLog = 0, inodeLog = 0, inodesPerBlockLog = 0] = sb.subarray(120, 124);
  const extentBytes = Math.imul(be32(sb, 80), blockSize) >>> 0;
  const groups = BigInt(be32(sb, 88));
  const groupBlocks = BigInt(be32(sb, 84));
  const blocks = be64(sb, 8);
  return (
    groups > 0n &&
    isBetween(sectorLog, 9, 15) &&
    sectorSize === 1 << sectorLog &&
    isBetween(blockLog, 9, 16) &&
    blockSize === 1 << blockLog &&
    isBetween(inodeLog, 8, 11) &&
    inodeSize === 1 << inodeLog &&
    blockLog - inodeLog === inodesPerBlockLog &&
    isBetween(extentBytes, 4096, GIB) &&
    (sb[127] ?? 255) <= 100 &&
    blocks > 0n &&
    blocks <= groups * groupBlocks &&
    blocks >= (groups - 1n) * groupBlocks + 64n
  );
}

function xfsLike(type: string, text: string, blockSizeOf: (sb: Uint8Array) => number): Signature {
  return {
    type,
    usage: "filesystem",
    magics: [{ text, at: 0 }],
    read(area, tags) {
      const sb = area.bytes(0, 176);
      if (sb === null || !isValid(sb)) {
        return false;
      }
      addLabel(tags, sb.subarray(108, 120));
      addUuid(tags, sb.subarray(32, 48));
      addBlockSize(tags, blockSizeOf(sb));
      return true;
    },
  };
}

/** XFS; its smallest unit is the sector. */
export const xfs = xfsLike("xfs", "XFSB", (sb) => be16(sb, 102));

/** EXFS, the shared XFS of SGI. */
export const exfs = xfsLike("exfs", "EXFS", (sb) => be32(sb, 4));

/** XLOG_HEADER_MAGIC_NUM, big-endian. */
const LOG_MAGIC = [0xfe, 0xed, 0xba, 0xbe] as const;

/** struct xlog_rec_header (fs/xfs/libxfs/xfs_log_format.h). */
function isLogRecord(record: Uint8Array): boolean {
  const version = be32(record, 8);
  return (
    LOG_MAGIC.every((byte, at) => record[at] === byte) &&
    version !== 0 &&
    version <= 3 &&
    isBetween(be32(record, 12), 1, 0x7fffffff) &&
    isBetween(be32(record, 300), 1, 3)
  );
}

function xfsLogWithin(length: number): Signature {
  return {
    type: "xfs_external_log",
    usage: "other",
    magics: [],
    minSize: 10 * 1024 * 1024,
    read(area, tags) {
      const log = area.bytes(0, length);
      for (let at = 0; log !== null && at < length && !holds(log, at, "XFSB"); at += 512) {
        if (log[at] !== LOG_MAGIC[0]) continue; // looked at in every device there is
        const record = log.subarray(at, at + 512);
        if (isLogRecord(record)) {
          addUuid(tags, record.subarray(304, 320), "LOGUUID");
          return true;
        }
      }
      return false;
    },
  };
}

/** The log of an XFS on a device of its own: a record begins in one of the first sectors, and no superblock before it. */
export const xfsLog = xfsLogWithin(32 * 1024);

/** The same where records are long, and nothing else was found: more is read for it than for all other types. */
export const xfsLogFar = xfsLogWithin(256 * 1024);
