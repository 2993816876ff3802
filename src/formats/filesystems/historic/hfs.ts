import type { Area } from "../../area.ts";
import { be16, be32, holds, isEmpty, isPowerOfTwo, latin1 } from "../../bytes.ts";
import { at, filesystem, header } from "../../layout.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addUuid, type Tags } from "../../tags.ts";
import { toUtf8 } from "../../text.ts";

// Apple, Technical Note TN1150, and Inside Macintosh: Files (master directory block). All big-endian.
const VOLUME = 1024;
const SECTOR_BYTES = 512;
const TREE_HEAD_BYTES = 8192;
const NODE_HEAD_BYTES = 14;
const KEY_BYTES = 518;
const LEAF = 0xff;
const ROOT_PARENT = 1;
const EXTENT_COUNT = 8;
const UUID_NAMESPACE = "\xb3\xe2\x0f\x39\xf2\x92\x11\xd6\x97\xa4\x00\x30\x65\x43\xec\xac";

const isPlus = (bytes: Uint8Array, at: number) => holds(bytes, at, "H+") || holds(bytes, at, "HX");

/** Adds UUID: version 3 of the 8 bytes of the Finder, as macOS computes it. */
function addFinderUuid(tags: Tags, id: Uint8Array): void {
  if (isEmpty(id)) return;
  const uuid = new Bun.CryptoHasher("md5").update(latin1(UUID_NAMESPACE)).update(id).digest();
  uuid[6] = 0x30 | ((uuid[6] ?? 0) & 0x0f);
  uuid[8] = 0x80 | ((uuid[8] ?? 0) & 0x3f);
  addUuid(tags, uuid);
}

/** HFS, unless it only wraps HFS+. */
const hfs = filesystem(
  "hfs",
  at(VOLUME, "BD"),
  header(VOLUME, 130, (block) => !isPlus(block, 124) && be32(block, 20) !== 0 && be32(block, 20) % SECTOR_BYTES === 0),
  [
    (tags, block) => addFinderUuid(tags, block.subarray(116, 124)),
    (tags, block) => addLabel(tags, block.subarray(37, 37 + Math.min(block[36] ?? 0, 27))),
  ],
  { isTolerant: true },
);

/** Returns the offset of the HFS+ volume, which is not 0 if it is embedded in HFS; null if there is none. */
function findVolume(area: Area): number | null {
  const block = area.bytes(VOLUME, 130);
  if (block === null || !holds(block, 0, "BD")) return block && 0;
  const unit = be32(block, 20);
  const isEmbedded = isPlus(block, 124) && unit >= SECTOR_BYTES && unit % SECTOR_BYTES === 0;
  return isEmbedded ? be16(block, 28) * SECTOR_BYTES + be16(block, 126) * unit : null;
}

/** Finds the name in the first record of the catalog, the thread of the root directory, in UTF-16BE, or null. */
function findName(area: Area, volume: number, header: Uint8Array, blockSize: number): Uint8Array | null {
  const extents = header.subarray(288, 352);
  const tree = area.bytes(volume + be32(extents, 0) * blockSize, TREE_HEAD_BYTES);
  if (tree === null) return null;
  const nodeSize = be16(tree, NODE_HEAD_BYTES + 18);
  const firstLeaf = be32(tree, NODE_HEAD_BYTES + 10);
  if (nodeSize < NODE_HEAD_BYTES + KEY_BYTES || be32(tree, NODE_HEAD_BYTES + 6) === 0) return null;
  const block = locate(extents, Math.floor((firstLeaf * nodeSize) / blockSize));
  const leaf = block === null ? null : area.bytes(volume + block * blockSize, nodeSize);
  const isThread = leaf !== null && be16(leaf, 10) > 0 && leaf[8] === LEAF && be32(leaf, 16) === ROOT_PARENT;
  const length = leaf === null ? 0 : be16(leaf, 20);
  return isThread && length <= 255 ? leaf.subarray(22, 22 + length * 2) : null;
}

/** Returns the block of the volume that is `block` of the file; null beyond the eight extents. */
function locate(extents: Uint8Array, block: number): number | null {
  let rest = block;
  for (let i = 0; i < EXTENT_COUNT; i++) {
    const count = be32(extents, i * 8 + 4);
    if (count === 0) return null;
    if (rest < count) return be32(extents, i * 8) + rest;
    rest -= count;
  }
  return null;
}

/** HFS+ and HFSX, alone or embedded in HFS. */
const hfsplus: Signature = {
  type: "hfsplus",
  usage: "filesystem",
  magics: at(VOLUME, "BD", "H+", "HX"),
  read(area, tags) {
    const volume = findVolume(area);
    const header = volume === null ? null : area.bytes(volume + VOLUME, 512);
    const blockSize = header === null ? 0 : be32(header, 40);
    if (volume === null || header === null || !isPlus(header, 0)) return false;
    if (blockSize < SECTOR_BYTES || !isPowerOfTwo(blockSize)) return false;
    // The first block of the catalog.
    if (volume + be32(header, 288) * blockSize > area.size) return false;
    addFinderUuid(tags, header.subarray(104, 112));
    addBlockSize(tags, blockSize);
    addLabel(tags, toUtf8(findName(area, volume, header, blockSize) ?? new Uint8Array(), "utf-16be"));
    return true;
  },
};

/** Apple's filesystems before APFS. */
export const HFS = [hfsplus, hfs];
