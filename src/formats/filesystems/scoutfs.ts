import { le32, le64 } from "../bytes.ts";
import { rawCrc32c } from "../checksums.ts";
import { at, blockSize, filesystem, header, tag, uuid, version } from "../layout.ts";

// struct scoutfs_super_block of scoutfs's format.h, in a block of 4 KiB.
const SUPERBLOCK = 64 * 1024;
const SUPERBLOCK_BYTES = 4096;
const IS_METADATA = 1n;

/** A filesystem has a device for metadata and one for data, with the same magic: a flag says which. */
function device(type: string, isMetadata: boolean, blockBytes: number) {
  const isValid = (sb: Uint8Array) =>
    rawCrc32c(sb.subarray(4)) === le32(sb, 0) && ((le64(sb, 48) & IS_METADATA) !== 0n) === isMetadata;
  return filesystem(
    type,
    at(SUPERBLOCK + 4, "\x8b\x42\x3c\x10"),
    header(SUPERBLOCK, SUPERBLOCK_BYTES, isValid),
    [
      version((sb) => String(le64(sb, 40))),
      uuid(56),
      tag("FSID", (sb) => le64(sb, 8).toString(16).padStart(16, "0")),
      blockSize(blockBytes),
    ],
    { minSize: 128 * 1024 },
  );
}

/** scoutfs. */
export const SCOUTFS = [device("scoutfs_meta", true, 64 * 1024), device("scoutfs_data", false, 4 * 1024)];
