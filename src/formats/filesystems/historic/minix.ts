import { be16, be32, holds, le16, le32 } from "../../bytes.ts";
import { at, blockSize, filesystem, header, version } from "../../layout.ts";

// linux/minix_fs.h; the superblock is the second KiB.
const SUPERBLOCK = 1024;
const BITS_PER_BLOCK = 1024 * 8;
const VERSION_OF: Readonly<Record<number, number>> = { 4991: 1, 5007: 1, 9320: 2, 9336: 2 };

/** The fields; `zoneLog` is the logarithm as the superblock has it, in this machine's byte order. */
function readOld(sb: Uint8Array, version: number, isLittle: boolean) {
  const read16 = isLittle ? le16 : be16;
  const zones = version === 2 ? (isLittle ? le32 : be32)(sb, 20) : read16(sb, 2);
  const isState = (read16(sb, 18) & ~3) === 0;
  const [inodes, inodeBlocks, zoneBlocks, firstZone] = [read16(sb, 0), read16(sb, 4), read16(sb, 6), read16(sb, 8)];
  const zoneLog = le16(sb, 10);
  return isState ? { version, inodes, zones, inodeBlocks, zoneBlocks, firstZone, zoneLog, blockSize: 1024 } : null;
}

function readNew(sb: Uint8Array): ReturnType<typeof readOld> {
  const [inodeBlocks, zoneBlocks, firstZone] = [le16(sb, 6), le16(sb, 8), le16(sb, 10)];
  const [inodes, zones, zoneLog, blockSize] = [le32(sb, 0), le32(sb, 20), le16(sb, 12), le16(sb, 28)];
  return { version: 3, inodes, zones, inodeBlocks, zoneBlocks, firstZone, zoneLog, blockSize };
}

/** Version 3 of big-endian machines is not supported, as in libblkid. */
function readSuperblock(sb: Uint8Array): ReturnType<typeof readOld> {
  const little = VERSION_OF[le16(sb, 16)];
  if (little !== undefined) return readOld(sb, little, true);
  if (le16(sb, 24) === 0x4d5a) return readNew(sb);
  const big = VERSION_OF[be16(sb, 16)];
  return big === undefined ? null : readOld(sb, big, false);
}

/** The magic is short, so the counts are checked, and that it is neither ext nor EROFS, whose superblocks are in the same place. */
function isMinix(bytes: Uint8Array): boolean {
  const sb = readSuperblock(bytes);
  if (sb === null || holds(bytes, 0x38, "\x53\xef") || holds(bytes, 0, "\xe2\xe1\xf5\xe0")) return false;
  const { zoneLog, inodes, inodeBlocks, firstZone, zones, zoneBlocks } = sb;
  return (
    zoneLog === 0 &&
    inodes !== 0 &&
    inodes !== 0xffffffff &&
    inodeBlocks * BITS_PER_BLOCK >= inodes + 1 &&
    firstZone <= zones &&
    zoneBlocks * BITS_PER_BLOCK >= zones - firstZone + 1
  );
}

/** Minix 1 to 3. */
export const minix = filesystem(
  "minix",
  [
    ...at(SUPERBLOCK + 16, "\x7f\x13", "\x8f\x13", "\x13\x7f", "\x13\x8f"),
    ...at(SUPERBLOCK + 16, "\x68\x24", "\x78\x24", "\x24\x68", "\x24\x78"),
    ...at(SUPERBLOCK + 24, "\x5a\x4d", "\x4d\x5a"),
  ],
  header(SUPERBLOCK, 64, isMinix),
  [version((sb) => readSuperblock(sb)?.version ?? 0), blockSize((sb) => readSuperblock(sb)?.blockSize ?? 0)],
);
