import { crc32c } from "../../src/formats/checksums.ts";
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
  /** Of an ext4. */
  readonly sizeBytes?: number;
}

/** ext4, ext2, vfat, squashfs, btrfs or crypto_LUKS: the head of one as its formatter writes it, and `entries` to show when it is mounted. */
export function fakeImage(type: keyof typeof WRITERS, name: FakeName = {}, entries: FakeTree = {}): FakeImage {
  // Different content makes different bytes: it is by its bytes that an image file is known again.
  const bytes = WRITERS[type](name);
  bytes.set(Buffer.from(`fake ${++imagesMade}`), bytes.length - 32);
  return { type, bytes, root: makeFakeTree(entries) };
}

let imagesMade = 0;

const BTRFS_AT = 64 << 10;

const WRITERS = {
  /** struct ext2_super_block; the feature "extents" makes it ext4, and "filetype" is in every one since 1999. */
  ext4: (name: FakeName) => writeExt(name, 0x42),
  ext2: (name: FakeName) => writeExt(name, 2),
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
  /** struct btrfs_super_block of linux/btrfs_tree.h, of one device. */
  btrfs({ label, uuid }: FakeName): Uint8Array {
    const bytes = new Uint8Array(1 << 20);
    const view = new DataView(bytes.buffer);
    if (uuid !== undefined) bytes.set(Buffer.from(uuid.replaceAll("-", ""), "hex"), BTRFS_AT + 0x20);
    put(bytes, BTRFS_AT + 0x40, "_BHRfS_M");
    view.setUint32(BTRFS_AT + 0x88, 1, true);
    view.setUint32(BTRFS_AT + 0x90, 4096, true);
    put(bytes, BTRFS_AT + 0x12b, label ?? "");
    view.setUint32(BTRFS_AT, crc32c(bytes.subarray(BTRFS_AT + 32, BTRFS_AT + 4096)), true);
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

function put(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(Buffer.from(text, "latin1"), at);
}
