import { crc32 } from "node:zlib";
import { writeExt } from "./fake-ext4.ts";
import { type FakeDirectory, type FakeTree, makeFakeTree } from "./fake-files.ts";

/** Something that can be mounted: bytes that the probe really reads, and the tree that a mount of them shows. */
export interface FakeImage {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly root: FakeDirectory;
}

export interface FakeName {
  readonly label?: string;
  /** As blkid prints it. */
  readonly uuid?: string;
  /** ext4 that was not unmounted: its journal holds changes (INCOMPAT_RECOVER), and an inode is orphaned (s_last_orphan). */
  readonly isUnclean?: boolean;
}

/** ext4, ext2, vfat, squashfs or crypto_LUKS: the head of one as its formatter writes it, and `entries` to show when it is mounted. */
export function fakeImage(type: keyof typeof WRITERS, name: FakeName = {}, entries: FakeTree = {}): FakeImage {
  // Different content makes different bytes: it is by its bytes that an image file is known again.
  const bytes = WRITERS[type](name);
  bytes.set(Buffer.from(`fake ${++imagesMade}`), bytes.length - 32);
  return { type, bytes, root: makeFakeTree(entries) };
}

let imagesMade = 0;

const WRITERS = {
  /** struct ext2_super_block; the feature "extents" makes it ext4. */
  ext4: (name: FakeName) => writeExt(name, 0x40),
  ext2: (name: FakeName) => writeExt(name, 0),
  /** FAT12: boot sector, one table, and a root directory whose first entry is the label. */
  vfat({ label, uuid }: FakeName): Uint8Array {
    const bytes = new Uint8Array(20 * 512);
    const view = new DataView(bytes.buffer);
    put(bytes, 0, "\xeb\x3c\x90mkfs.fat");
    for (const [at, value] of [
      [0x0b, 512],
      [0x0e, 1],
      [0x11, 16],
      [0x13, 20],
      [0x16, 1],
    ] as const)
      view.setUint16(at, value, true);
    bytes.set([1], 0x0d);
    bytes.set([1], 0x10);
    bytes.set([0xf8], 0x15);
    bytes.set([0x29], 0x26);
    if (uuid !== undefined) view.setUint32(0x27, Number.parseInt(uuid.replace("-", ""), 16), true);
    put(bytes, 0x2b, (label ?? "NO NAME").padEnd(11));
    put(bytes, 0x36, "FAT12   \0");
    put(bytes, 510, "\x55\xaa");
    if (label !== undefined) put(bytes, 1024, `${label.padEnd(11)}\x08`);
    return bytes;
  },
  /** struct squashfs_super_block, version 4.0. */
  squashfs(): Uint8Array {
    const bytes = new Uint8Array(4096);
    put(bytes, 0, "hsqs");
    const view = new DataView(bytes.buffer);
    for (const [at, value] of SQUASHFS_SHORTS) view.setUint16(at, value, true);
    for (const [at, value] of SQUASHFS_PLACES) view.setBigUint64(at, value, true);
    return bytes;
  },
  /** LUKS2's binary header. */
  crypto_LUKS({ label, uuid }: FakeName): Uint8Array {
    const bytes = new Uint8Array(4096);
    put(bytes, 0, "LUKS\xba\xbe\0\x02");
    put(bytes, 24, label ?? "");
    put(bytes, 168, uuid ?? "");
    return bytes;
  },
};

/** One user ID, version 4; then the lengths of a block of inodes, of directories, and of IDs. */
const SQUASHFS_SHORTS = [
  [26, 1],
  [28, 4],
  [96, 8],
  [200, 8],
  [300, 4],
] as const;
/** bytes_used, the index of the IDs, no extended attributes, inodes, directories, no fragments, nothing for NFS; and where the IDs are. */
const SQUASHFS_PLACES = [
  [40, 4096n],
  [48, 400n],
  [56, -1n],
  [64, 96n],
  [72, 200n],
  [80, -1n],
  [88, -1n],
  [400, 300n],
] as const;

interface PartitionContent {
  readonly image: Pick<FakeImage, "bytes">;
  /** PARTLABEL */
  readonly name?: string;
  /** PARTUUID */
  readonly uuid?: string;
  /** Its GPT type; Linux filesystem data where not given. */
  readonly type?: string;
}

export interface FakePartition extends PartitionContent {
  readonly image: FakeImage;
}

const FIRST_LBA = 64;

/** A disk with a GUID partition table (UEFI 2.10, 5.3; the copy at the start only) and where its partitions lie, in bytes. */
export function partitionDisk(
  partitions: readonly PartitionContent[],
  sectorBytes = 512,
): { bytes: Uint8Array<ArrayBuffer>; offsets: readonly number[] } {
  const offsets: number[] = [];
  let end = FIRST_LBA * sectorBytes;
  for (const { image } of partitions) {
    offsets.push(end);
    end += Math.ceil(image.bytes.length / sectorBytes) * sectorBytes;
  }
  const bytes = new Uint8Array(end + sectorBytes);
  const entries = bytes.subarray(2 * sectorBytes, 2 * sectorBytes + 128 * 128);
  for (const [index, partition] of partitions.entries()) {
    const offset = offsets[index] ?? 0;
    bytes.set(partition.image.bytes, offset);
    writeEntry(entries.subarray(index * 128, index * 128 + 128), partition, offset / sectorBytes, sectorBytes);
  }
  put(bytes, 446, "\0\0\x02\0\xee\xff\xff\xff\x01\0\0\0\xff\xff\xff\xff");
  put(bytes, 510, "\x55\xaa");
  writeHeader(bytes.subarray(sectorBytes, sectorBytes + 512), crc32(entries), end / sectorBytes);
  return { bytes, offsets };
}

function writeEntry(
  entry: Uint8Array,
  { image, name = "", uuid, type = "0fc63daf-8483-4772-8e79-3d69d8477de4" }: PartitionContent,
  firstLba: number,
  sectorBytes: number,
): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  entry.set(guid(type), 0);
  entry.set(guid(uuid ?? `00000000-0000-0000-0000-${firstLba.toString(16).padStart(12, "0")}`), 16);
  view.setBigUint64(32, BigInt(firstLba), true);
  view.setBigUint64(40, BigInt(firstLba + Math.ceil(image.bytes.length / sectorBytes) - 1), true);
  entry.set(Buffer.from(name, "utf16le"), 56);
}

function writeHeader(header: Uint8Array, entriesCrc: number, lastLba: number): void {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  put(header, 0, "EFI PART\0\0\x01\0");
  view.setUint32(12, 92, true);
  for (const [at, lba] of [
    [24, 1],
    [32, lastLba],
    [40, FIRST_LBA],
    [48, lastLba - 1],
    [72, 2],
  ] as const)
    view.setBigUint64(at, BigInt(lba), true);
  header.set(guid("11111111-2222-3333-4444-555555555555"), 56);
  for (const [at, value] of [
    [80, 128],
    [84, 128],
    [88, entriesCrc],
  ] as const)
    view.setUint32(at, value, true);
  view.setUint32(16, crc32(header.subarray(0, 92)), true);
}

/** A GUID's bytes: its first three groups are little-endian. */
function guid(text: string): Uint8Array {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  for (const [from, to] of [
    [0, 4],
    [4, 6],
    [6, 8],
  ] as const)
    bytes.subarray(from, to).reverse();
  return bytes;
}

function put(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(Buffer.from(text, "latin1"), at);
}
