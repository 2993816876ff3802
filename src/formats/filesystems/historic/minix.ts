import { be16, be32, holds, le16, le32 } from "../../bytes.ts";
import type { Magic, Signature } from "../../signature.ts";
import { addBlockSize, addVersion } from "../../tags.ts";

// linux/minix_fs.h; the superblock is the second KiB.
const SUPERBLOCK = 1024;
const BITS_PER_BLOCK = 1024 * 8;
const VERSION_OF: ReadonlyMap<number, number> = new Map([
  [0x137f, 1],
  [0x138f, 1],
  [0x2468, 2],
  [0x2478, 2],
]);

const MAGICS: readonly Magic[] = [
  ...["\x7f\x13", "\x8f\x13", "\x13\x7f", "\x13\x8f", "\x68\x24", "\x78\x24", "\x24\x68", "\x24\x78"].map((text) => ({
    text,
    at: SUPERBLOCK + 16,
  })),
  { text: "\x5a\x4d", at: SUPERBLOCK + 24 },
  { text: "\x4d\x5a", at: SUPERBLOCK + 24 },
];

interface Superblock {
  readonly version: number;
  readonly inodes: number;
  readonly zones: number;
  readonly inodeBlocks: number;
  readonly zoneBlocks: number;
  readonly firstZone: number;
  /** The logarithm as the superblock has it, in this machine's byte order. */
  readonly zoneLog: number;
  readonly blockSize: number;
}

function readOld(sb: Uint8Array, version: number, isLittle: boolean): Superblock | null {
  const read16 = isLittle ? le16 : be16;
  const zones = version === 2 ? (isLittle ? le32 : be32)(sb, 20) : read16(sb, 2);
  const isState = (read16(sb, 18) & ~3) === 0;
  const [inodes, inodeBlocks, zoneBlocks, firstZone] = [read16(sb, 0), read16(sb, 4), read16(sb, 6), read16(sb, 8)];
  const zoneLog = le16(sb, 10);
  return isState ? { version, inodes, zones, inodeBlocks, zoneBlocks, firstZone, zoneLog, blockSize: 1024 } : null;
}

function readNew(sb: Uint8Array): Superblock {
  return {
    version: 3,
    inodes: le32(sb, 0),
    zones: le32(sb, 20),
    inodeBlocks: le16(sb, 6),
    zoneBlocks: le16(sb, 8),
    firstZone: le16(sb, 10),
    zoneLog: le16(sb, 12),
    blockSize: le16(sb, 28),
  };
}

/** Version 3 of big-endian machines is not understood, as in libblkid. */
function readSuperblock(sb: Uint8Array): Superblock | null {
  const little = VERSION_OF.get(le16(sb, 16));
  if (little !== undefined) {
    return readOld(sb, little, true);
  }
  if (le16(sb, 24) === 0x4d5a) {
    return readNew(sb);
  }
  const big = VERSION_OF.get(be16(sb, 16));
  return big === undefined ? null : readOld(sb, big, false);
}

function isSound({ zoneLog, inodes, inodeBlocks, firstZone, zones, zoneBlocks }: Superblock): boolean {
  return (
    zoneLog === 0 &&
    inodes !== 0 &&
    inodes !== 0xffffffff &&
    inodeBlocks * BITS_PER_BLOCK >= inodes + 1 &&
    firstZone <= zones &&
    zoneBlocks * BITS_PER_BLOCK >= zones - firstZone + 1
  );
}

/** Minix 1 to 3; a short magic, so its counts are checked, and that it is no ext. */
export const minix: Signature = {
  type: "minix",
  usage: "filesystem",
  magics: MAGICS,
  read(area, tags) {
    const bytes = area.bytes(SUPERBLOCK, 64);
    const sb = bytes === null ? null : readSuperblock(bytes);
    if (bytes === null || sb === null || !isSound(sb) || holds(bytes, 0x38, "\x53\xef")) {
      return false;
    }
    addVersion(tags, String(sb.version));
    addBlockSize(tags, sb.blockSize);
    return true;
  },
};
