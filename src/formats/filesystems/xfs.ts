import { be16, be32, be64, holds, isWithin, le32 } from "../bytes.ts";
import { blanked, crc32c } from "../checksums.ts";
import { at, blockSize, type FindHeader, filesystem, header, label, other, uuid } from "../layout.ts";
import type { Signature } from "../signature.ts";

const GIB = 1024 * 1024 * 1024;

/** The checks of libblkid on struct xfs_dsb (fs/xfs/libxfs/xfs_format.h): sizes, their logarithms and the number of blocks agree. */
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
    isWithin(sectorLog, 9, 15) &&
    sectorSize === 1 << sectorLog &&
    isWithin(blockLog, 9, 16) &&
    blockSize === 1 << blockLog &&
    isWithin(inodeLog, 8, 11) &&
    inodeSize === 1 << inodeLog &&
    blockLog - inodeLog === inodesPerBlockLog &&
    isWithin(extentBytes, 4096, GIB) &&
    (sb[127] ?? 255) <= 100 &&
    blocks > 0n &&
    blocks <= groups * groupBlocks &&
    blocks >= (groups - 1n) * groupBlocks + 64n
  );
}

// XFS_SB_VERSION_MOREBITSBIT, and XFS_SB_VERSION2_CRCBIT of the second flags.
const [MORE_BITS, HAS_SUM] = [0x8000, 0x0100];
const SUM_AT = 224;

/** Finds the superblock; from version 5 on, the checksum of its sector must be right. */
const findXfs: FindHeader = (area) => {
  const sb = area.bytes(0, 272);
  if (sb === null || !isValid(sb)) return null;
  const flags = be16(sb, 100);
  if ((flags & 15) !== 5) return sb;
  const sector = (flags & MORE_BITS) !== 0 && (be32(sb, 200) & HAS_SUM) !== 0 ? area.bytes(0, be16(sb, 102)) : null;
  return sector !== null && crc32c(blanked(sector, SUM_AT, 4)) === le32(sb, SUM_AT) ? sb : null;
};

function xfsLike(type: string, text: string, find: FindHeader, bytesOf: (sb: Uint8Array) => number): Signature {
  return filesystem(type, at(0, text), find, [label(108, 12), uuid(32), blockSize(bytesOf)]);
}

/** XLOG_HEADER_MAGIC_NUM, big-endian. */
const LOG_MAGIC = [0xfe, 0xed, 0xba, 0xbe] as const;

/** struct xlog_rec_header (fs/xfs/libxfs/xfs_log_format.h). */
function isLogRecord(record: Uint8Array): boolean {
  const version = be32(record, 8);
  return (
    LOG_MAGIC.every((byte, at) => record[at] === byte) &&
    version !== 0 &&
    version <= 3 &&
    isWithin(be32(record, 12), 1, 0x7fffffff) &&
    isWithin(be32(record, 300), 1, 3)
  );
}

function xfsLogWithin(length: number): Signature {
  const findRecord: FindHeader = (area) => {
    const log = area.bytes(0, length);
    for (let offset = 0; log !== null && offset < length && !holds(log, offset, "XFSB"); offset += 512) {
      // The first byte decides quickly: every device is searched.
      if (log[offset] === LOG_MAGIC[0] && isLogRecord(log.subarray(offset, offset + 512))) return log.subarray(offset);
    }
    return null;
  };
  return other("xfs_external_log", [], findRecord, [uuid(304, "LOGUUID")], { minSize: 10 * 1024 * 1024 });
}

/** XFS, whose smallest unit is the sector; its external log, with a record in one of the first sectors and no superblock before it; EXFS, the shared XFS of SGI. */
export const XFS = [
  xfsLike("xfs", "XFSB", findXfs, (sb) => be16(sb, 102)),
  xfsLogWithin(32 * 1024),
  xfsLike("exfs", "EXFS", header(0, 176, isValid), (sb) => be32(sb, 4)),
];

/** The external log with long records. It takes more reading than all other types, so it is looked for only if nothing else was found. */
export const farXfsLog = xfsLogWithin(256 * 1024);
