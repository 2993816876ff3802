import type { Area } from "../../area.ts";
import { be16, be32, be64, holds, le16, le32, le64 } from "../../bytes.ts";
import { at } from "../../layout.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addTag, addVersion } from "../../tags.ts";

// Practical File System Design with the Be File System, chapters 4 and 5; the structures are those of fs/befs/befs_fs_types.h.
const SUPERBLOCK_BYTES = 132;
const MAGICS = new Map([
  [32, 0x42465331],
  [36, 0x42494745],
  [68, 0xdd121031],
  [112, 0x15b6830e],
]);
const INODE_MAGIC = 0x3bbe0ad9;
const TREE_MAGIC = 0x69f6c2e8;
const UINT64_TYPE = 0x554c4c47; // "ULLG"
const ID_NAME = "be:volume_id";
const ID_BYTES = 8;
const INODE_BYTES = 232;
const RUN_BYTES = 8;
const DIRECT_RUNS = 12;
const NO_NODE = 0xffffffffffffffffn;
const MAX_LEVELS = 100;

/** Reads numbers in the byte order of the machine that made the filesystem. */
type Order = Readonly<Record<"read16" | "read32", typeof le32> & { read64: typeof le64; name: string }>;
const ORDERS: readonly Order[] = [
  { read16: le16, read32: le32, read64: le64, name: "little-endian" },
  { read16: be16, read32: be32, read64: be64, name: "big-endian" },
];

/** A volume: where blocks are, and how its numbers are read. */
type Volume = Readonly<{ area: Area; order: Order; blockBytes: number; groupShift: number; sb: Uint8Array }>;

/** Places and bytes of a block_run: allocation group, block in it, count. */
function locateRun({ order, blockBytes, groupShift }: Volume, run: Uint8Array) {
  const group = order.read32(run, 0) * 2 ** groupShift * blockBytes;
  return { start: group + order.read16(run, 4) * blockBytes, length: order.read16(run, 6) * blockBytes };
}

function readRun(volume: Volume, run: Uint8Array): Uint8Array | null {
  const { start, length } = locateRun(volume, run);
  return volume.area.bytes(start, length);
}

function readInode(volume: Volume, run: Uint8Array): Uint8Array | null {
  const inode = readRun(volume, run);
  return inode !== null && inode.length >= INODE_BYTES && volume.order.read32(inode, 0) === INODE_MAGIC ? inode : null;
}

/** Finds the identifier among the small attributes after the inode of the root directory; null if it is not there. */
function findSmall({ order }: Volume, inode: Uint8Array): bigint | null {
  const end = INODE_BYTES + Math.min(inode.length - INODE_BYTES, order.read32(inode, 64));
  for (let offset = INODE_BYTES; offset + 8 <= end; ) {
    const [type, nameBytes, dataBytes] = [
      order.read32(inode, offset),
      order.read16(inode, offset + 4),
      order.read16(inode, offset + 6),
    ];
    const next = offset + 8 + nameBytes + 3 + dataBytes + 1;
    if (next > end || (type === 0 && nameBytes === 0 && dataBytes === 0)) return null;
    const isId = type === UINT64_TYPE && nameBytes === ID_NAME.length && dataBytes === ID_BYTES;
    if (isId && holds(inode, offset + 8, `${ID_NAME}\0`)) return order.read64(inode, offset + 8 + nameBytes + 3);
    offset = next;
  }
  return null;
}

/** Reads `length` bytes at `offset` of an inode's content; null beyond its direct runs, where no directory of attributes is that large. */
function readContent(volume: Volume, inode: Uint8Array, offset: number, length: number): Uint8Array | null {
  let rest = offset;
  for (let i = 0; i < DIRECT_RUNS; i++) {
    const at = 72 + i * RUN_BYTES;
    const run = locateRun(volume, inode.subarray(at, at + RUN_BYTES));
    if (rest < run.length) return rest + length <= run.length ? volume.area.bytes(run.start + rest, length) : null;
    rest -= run.length;
  }
  return null;
}

/** Returns keys and values of a node of the B+ tree: the keys, each with its end, then the values; null for a malformed node. */
function readNode({ order }: Volume, node: Uint8Array) {
  const [count, keyBytes] = [order.read16(node, 24), order.read16(node, 26)];
  const endsAt = Math.ceil((28 + keyBytes) / 8) * 8;
  const valuesAt = endsAt + count * 2;
  if (count === 0 || valuesAt + count * 8 > node.length) return null;
  const ends = Array.from({ length: count }, (_, i) => order.read16(node, endsAt + i * 2));
  if (ends.some((end, i) => end < (ends[i - 1] ?? 0) || end > keyBytes)) return null;
  const keys = ends.map((end, i) => String.fromCharCode(...node.subarray(28 + (ends[i - 1] ?? 0), 28 + end)));
  return { keys, values: keys.map((_, i) => order.read64(node, valuesAt + i * 8)), overflow: order.read64(node, 16) };
}

/** Finds the block of the inode with the identifier in the directory of attributes; 0 if it has none, null if the tree is malformed. */
function findAttribute(volume: Volume, directory: Uint8Array): number | null {
  const { order } = volume;
  const head = readContent(volume, directory, 0, 40);
  if (head === null || order.read32(head, 0) !== TREE_MAGIC) return null;
  let pointer = order.read64(head, 16);
  for (let level = 0; level < MAX_LEVELS; level++) {
    const bytes = readContent(volume, directory, Number(pointer), Math.max(order.read32(head, 4), 28));
    const node = bytes && readNode(volume, bytes);
    if (node === null) return null;
    // In an inner node, the child of a key has the names up to that key; the last child is the overflow.
    const index = node.keys.findIndex((key) => key >= ID_NAME);
    if (node.overflow === NO_NODE) return node.keys[index] === ID_NAME ? Number(node.values[index]) : 0;
    pointer = node.values[index] ?? node.overflow;
  }
  return 0;
}

/** Reads the identifier from an attribute of its own; 0 if there is none, null if it is malformed. */
function findLarge(volume: Volume, inode: Uint8Array): bigint | null {
  const { area, order, blockBytes } = volume;
  const run = inode.subarray(52, 60);
  if (run.every((byte) => byte === 0)) return 0n;
  const directory = readInode(volume, run);
  const block = directory && findAttribute(volume, directory);
  if (block === null || block === 0) return block === null ? null : 0n;
  const attribute = area.bytes(block * blockBytes, blockBytes);
  if (attribute === null || order.read32(attribute, 0) !== INODE_MAGIC) return null;
  const isId = order.read32(attribute, 60) === UINT64_TYPE && order.read64(attribute, 208) === BigInt(ID_BYTES);
  const content = attribute.subarray(72, 72 + RUN_BYTES);
  if (!isId || order.read16(content, 6) !== 1) return 0n;
  const data = readRun(volume, content);
  return data && order.read64(data, 0);
}

function readVolume(area: Area, start: number): Volume | null {
  const sb = area.bytes(start, SUPERBLOCK_BYTES);
  const order = sb && ORDERS.find(({ read32 }) => [...MAGICS].every(([at, magic]) => read32(sb, at) === magic));
  if (sb === null || !order) return null;
  const [blockBytes, blockShift, groupShift] = [order.read32(sb, 40), order.read32(sb, 44), order.read32(sb, 76)];
  const isValid =
    blockShift >= 10 && blockShift <= 13 && blockBytes === 2 ** blockShift && groupShift + blockShift < 64;
  return isValid ? { area, order, blockBytes, groupShift, sb } : null;
}

/** BeFS, of BeOS and Haiku. */
export const befs: Signature = {
  type: "befs",
  usage: "filesystem",
  minSize: 1440 * 1024,
  magics: [...at(32, "BFS1", "1SFB"), ...at(512 + 32, "BFS1", "1SFB")],
  read(area, tags, magic) {
    const volume = readVolume(area, (magic?.at ?? 0) - 32);
    const root = volume && readInode(volume, volume.sb.subarray(116, 124));
    if (volume === null || root === null) return false;
    const small = findSmall(volume, root) ?? 0n;
    const id = small === 0n ? findLarge(volume, root) : small;
    if (id === null) return false;
    addLabel(tags, volume.sb.subarray(0, 32));
    addVersion(tags, volume.order.name);
    if (id !== 0n) addTag(tags, "UUID", id.toString(16).padStart(16, "0"));
    addBlockSize(tags, volume.blockBytes);
    return true;
  },
};
