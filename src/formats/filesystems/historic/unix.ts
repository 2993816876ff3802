import type { Area } from "../../area.ts";
import { be32, holds, le32 } from "../../bytes.ts";
import { at, blockSize, filesystem, header, label, tag, version, when } from "../../layout.ts";
import { addSerial } from "../../tags.ts";

// struct ufs_super_block (fs/ufs/ufs_fs.h), of either byte order, at one of four places.
const UFS_PLACES = [0, 8, 64, 256].map((kib) => kib * 1024);
const UFS_MAGIC_AT = 1372;
const UFS_BYTES = 1377;
const UFS2 = 0x19540119;
const UFS_MAGICS = [UFS2, 0x00011954, 0x00195612, 0x00095014, 0x00612195, 0x05231994];

function findUfs(area: Area): Uint8Array | null {
  for (const place of UFS_PLACES) {
    const end = area.bytes(place + UFS_MAGIC_AT, UFS_BYTES - UFS_MAGIC_AT);
    if (end === null) return null;
    if (UFS_MAGICS.some((magic) => le32(end, 0) === magic || be32(end, 0) === magic))
      return area.bytes(place, UFS_BYTES);
  }
  return null;
}

/** Reads in the byte order of the magic. */
function ufs32(sb: Uint8Array, offset: number): number {
  return (UFS_MAGICS.includes(be32(sb, UFS_MAGIC_AT)) ? be32 : le32)(sb, offset);
}

const isUfs2 = (sb: Uint8Array) => ufs32(sb, UFS_MAGIC_AT) === UFS2;

function ufsUuid(sb: Uint8Array): string | null {
  const id = [ufs32(sb, 144), ufs32(sb, 148)];
  return id.every((word) => word === 0) ? null : id.map((word) => word.toString(16).padStart(8, "0")).join("");
}

const SYSV_MAGIC = 0xfd187e20;
const SYSV_BLOCKS = [0, 9, 15, 18];

/** fs/sysv: the superblock is the second half of one of four blocks, of either byte order. */
function findSysv(area: Area): Uint8Array | null {
  for (const block of SYSV_BLOCKS) {
    const sb = area.bytes(block * 1024 + 512, 512);
    if (sb === null || le32(sb, 504) === SYSV_MAGIC || be32(sb, 504) === SYSV_MAGIC) return sb;
  }
  return null;
}

const HPFS_SPARE = 0x2200;
const hasHpfsLabel = (bytes: Uint8Array) =>
  holds(bytes, 510, "\x55\xaa") && holds(bytes, 54, "HPFS") && bytes[38] === 0x28;

/** UFS, OS/2's HPFS, System V and Xenix. */
export const UNIX = [
  filesystem("ufs", [], findUfs, [
    version((sb) => (isUfs2(sb) ? 2 : 1)),
    when(isUfs2, label(680, 32)),
    tag("UUID", ufsUuid),
    blockSize((sb) => ufs32(sb, 52)),
  ]),
  // fs/hpfs/hpfs.h: two superblocks, and a boot sector with the label.
  filesystem(
    "hpfs",
    at(0x2000, "\x49\xe8\x95\xf9"),
    header(0, HPFS_SPARE + 8, (bytes) => holds(bytes, HPFS_SPARE, "\x49\x18\x91\xf9")),
    [
      when(hasHpfsLabel, label(43, 11), (tags, bytes) => addSerial(tags, bytes.subarray(39, 43))),
      version((bytes) => bytes[0x2008] ?? 0),
      blockSize(512),
    ],
  ),
  filesystem("sysv", [], findSysv, [label(440, 6)]),
  // In the place where libblkid looks for it.
  filesystem("xenix", at(2048, "\x2b\x55\x44", "\x44\x55\x2b"), header(1024, 1024), [label(632, 6)]),
];
