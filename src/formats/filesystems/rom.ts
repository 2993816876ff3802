import type { Area } from "../area.ts";
import { be32, le32, sumWords } from "../bytes.ts";
import { blanked, rawCrc32, rawCrc32c } from "../checksums.ts";
import { at, blockLog, blockSize, filesystem, label, uuid, version } from "../layout.ts";
import type { Magic } from "../signature.ts";

const LITTLE_CRAMFS = "\x45\x3d\xcd\x28";
const MAX_CRAMFS_SUM_BYTES = 64 * 1024;
const cramfs32 = ({ text }: Magic) => (text === LITTLE_CRAMFS ? le32 : be32);
const cramfsVersion = (sb: Uint8Array, magic: Magic) => (cramfs32(magic)(sb, 8) & 1) + 1;

/** Finds the superblock; in version 2, the checksum of the whole image (as far as libblkid checks it, 64 KiB) must be right. */
function findCramfs(area: Area, magic: Magic): Uint8Array | null {
  const sb = area.bytes(0, 64);
  if (sb === null || cramfsVersion(sb, magic) === 1) return sb;
  const size = cramfs32(magic)(sb, 4);
  const image = size >= sb.length && size <= MAX_CRAMFS_SUM_BYTES ? area.bytes(0, size) : null;
  const isRight = image !== null && ~rawCrc32(blanked(image, 32, 4), 0xffffffff) >>> 0 === cramfs32(magic)(sb, 32);
  return isRight ? sb : null;
}

const MAX_ROMFS_SUM_BYTES = 512;

/** Finds the superblock if the words of the first 512 bytes add up to zero. */
function findRomfs(area: Area): Uint8Array | null {
  const sb = area.bytes(0, 32);
  const size = sb === null ? 0 : Math.min(MAX_ROMFS_SUM_BYTES, be32(sb, 8));
  const summed = size % 4 === 0 ? area.bytes(0, size) : null;
  return summed !== null && sumWords(summed, 4, be32) % 2 ** 32 === 0 ? sb : null;
}

const EROFS = 1024;
const HAS_EROFS_SUM = 1;

/** Finds the superblock, whose checksum, if it has one, covers the rest of its block. */
function findErofs(area: Area): Uint8Array | null {
  const sb = area.bytes(EROFS, 128);
  const log = sb?.[12] ?? 0;
  if (sb === null || log < 9 || log > 16) return null;
  if ((le32(sb, 8) & HAS_EROFS_SUM) === 0) return sb;
  const summed = area.bytes(EROFS, 2 ** log - EROFS);
  return summed !== null && rawCrc32c(blanked(summed, 4, 4)) === le32(sb, 4) ? sb : null;
}

/** cramfs and romfs, which are read-only. */
export const ROM = [
  // linux/cramfs_fs.h, of either byte order.
  filesystem("cramfs", at(0, LITTLE_CRAMFS, "\x28\xcd\x3d\x45"), findCramfs, [label(48, 16), version(cramfsVersion)]),
  // linux/romfs_fs.h.
  filesystem("romfs", at(0, "-rom1fs-"), findRomfs, [label(16, 16), blockSize(1024)]),
];

/** EROFS (fs/erofs/erofs_fs.h). */
export const erofs = filesystem("erofs", at(EROFS, "\xe2\xe1\xf5\xe0"), findErofs, [
  label(64, 16),
  uuid(48),
  blockLog((sb) => sb[12] ?? 32),
]);
