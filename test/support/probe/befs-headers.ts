import { type HandMade, handMade, MIB } from "./header.ts";
import { be16, be32, be64, counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 4 * MIB;
const BLOCK_BYTES = 1024;
const INODE_MAGIC = 0x3bbe0ad9;
const UINT64_TYPE = 0x554c4c47;
const NO_NODE = 0xffffffffffffffffn;
const NAME = "be:volume_id";

const BIG = { u16: be16, u32: be32, u64: be64 };
const LITTLE: typeof BIG = { u16: le16, u32: le32, u64: le64 };

/** Makes the structures of BeFS in one byte order; blocks are counted in the first allocation group. */
function befsIn({ u16, u32, u64 }: typeof BIG) {
  const run = (block: number) => [...u32(0), ...u16(block), ...u16(1)];
  const at = (block: number, ...fields: readonly (readonly [offset: number, bytes: readonly number[]])[]) =>
    fields.map(([offset, bytes]) => patch(block * BLOCK_BYTES + offset, bytes));
  const superblock = (start: number): readonly Patch[] => [
    patch(start, "be volume"),
    patch(start + 32, u32(0x42465331), u32(0x42494745), u32(BLOCK_BYTES), u32(10)),
    patch(start + 64, u32(232), u32(0xdd121031), u32(1), u32(13)),
    patch(start + 112, u32(0x15b6830e), run(8)),
  ];
  const inode = (block: number, type: number, size: number, data: number, attributes: number) =>
    at(
      block,
      [0, u32(INODE_MAGIC)],
      [52, attributes === 0 ? [] : run(attributes)],
      [60, [...u32(type), ...u32(BLOCK_BYTES)]],
      [72, run(data)],
      [168, u64(BLOCK_BYTES)],
      [208, u64(size)],
    );
  /** A node of the tree at `offset` of its block. */
  const node = (
    block: number,
    offset: number,
    keys: readonly string[],
    values: readonly number[],
    overflow: bigint,
  ) => {
    const ends = keys.map((_, i) => keys.slice(0, i + 1).join("").length);
    const text = latin1(keys.join(""));
    const padding = new Array<number>(-(28 + text.length) & 7).fill(0);
    return at(block, [
      offset,
      [
        ...[...u64(NO_NODE), ...u64(NO_NODE), ...u64(overflow), ...u16(keys.length), ...u16(text.length), ...text],
        ...[...padding, ...ends.flatMap(u16), ...values.flatMap(u64)],
      ],
    ]);
  };
  const tree = (block: number, root: number) =>
    at(block, [0, [...u32(0x69f6c2e8), ...u32(256), ...u32(1), ...u32(0), ...u64(root)]]);
  const small = (block: number, value: readonly number[]) =>
    at(block, [232, [...u32(UINT64_TYPE), ...u16(NAME.length), ...u16(8), ...latin1(NAME), 0, 0, 0, ...value]]);
  return { superblock, inode, node, tree, small, at };
}

const big = befsIn(BIG);
const little = befsIn(LITTLE);

/** The identifier in an attribute of its own: root directory, directory of attributes with a tree of one leaf, attribute. */
const largeAttribute: readonly Patch[] = [
  ...big.superblock(512),
  ...big.inode(8, 0, 0, 0, 9),
  ...big.inode(9, 0, 0, 10, 0),
  ...big.tree(10, 256),
  ...big.node(10, 256, ["BEOS:TYPE", NAME, "sys:x"], [20, 11, 21], NO_NODE),
  ...big.inode(11, UINT64_TYPE, 8, 12, 0),
  ...big.at(12, [0, counting(8)]),
];

/** The same in a tree of two levels. */
const deepTree: readonly Patch[] = [
  ...little.superblock(0),
  ...little.inode(8, 0, 0, 0, 9),
  ...little.inode(9, 0, 0, 10, 0),
  ...little.tree(10, 256),
  ...little.node(10, 256, ["a", "be:volume_z"], [768, 512], 768n),
  ...little.node(10, 512, ["b", NAME], [20, 11], NO_NODE),
  ...little.inode(11, UINT64_TYPE, 8, 12, 0),
  ...little.at(12, [0, counting(8)]),
];

/** BeFS, whose identifier is a small attribute in the inode of the root directory, or a large one. */
export const BEFS_HEADERS: readonly HandMade[] = [
  handMade(
    "befs-small-attribute",
    SIZE,
    [...big.superblock(0), ...big.inode(8, 0, 0, 0, 0), ...big.small(8, counting(8))],
    "LABEL=be\\ volume | VERSION=big-endian | UUID=0102030405060708 | BLOCK_SIZE=1024 | TYPE=befs | USAGE=filesystem",
  ),
  handMade(
    "befs-large-attribute",
    SIZE,
    largeAttribute,
    "LABEL=be\\ volume | VERSION=big-endian | UUID=0102030405060708 | BLOCK_SIZE=1024 | TYPE=befs | USAGE=filesystem",
  ),
  handMade(
    "befs-deep-tree",
    SIZE,
    deepTree,
    "LABEL=be\\ volume | VERSION=little-endian | UUID=0807060504030201 | BLOCK_SIZE=1024 | TYPE=befs | USAGE=filesystem",
  ),
  handMade(
    "befs-tree-loops",
    SIZE,
    [...deepTree, ...little.node(10, 256, ["a", "be:volume_z"], [768, 256], 768n)],
    "LABEL=be\\ volume | VERSION=little-endian | BLOCK_SIZE=1024 | TYPE=befs | USAGE=filesystem",
  ),
  handMade(
    "befs-without-attribute",
    SIZE,
    [...largeAttribute, ...big.node(10, 256, ["x"], [11], NO_NODE)],
    "LABEL=be\\ volume | VERSION=big-endian | BLOCK_SIZE=1024 | TYPE=befs | USAGE=filesystem",
  ),
  handMade("befs-without-root", SIZE, big.superblock(0), ""),
];
