import { le32 as readLe32 } from "../../../src/formats/bytes.ts";
import { crc32c, rawCrc32 } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, MIB } from "./header.ts";
import { be16, be32, counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;
const exfs = [
  patch(0, "EXFS", be32(4096), [0, 0, 0, 0], be32(16384)),
  patch(32, counting(16)),
  patch(80, be32(1), be32(8192), be32(2)),
  patch(102, be16(512), be16(512), be16(8), "exfs label", [0, 0], [12, 9, 9, 3]),
];

/** A superblock of NILFS2 with its checksum. */
function nilfs(at: number, checkpoint: number, label: string): Patch {
  const sb = new Uint8Array(1024);
  sb.set([...le32(2), ...le16(0), ...le16(0x3434), ...le16(280), ...le16(0), ...le32(7)]);
  sb.set(le64(checkpoint), 56);
  sb.set(counting(16), 152);
  sb.set(latin1(label), 168);
  sb.set(le32(rawCrc32(sb.subarray(0, 280), 7)), 16);
  return { at, bytes: sb };
}

/** The descriptor of the pool with its checksum, or a wrong one. */
function mpool(difference: number): Patch {
  const fields = Uint8Array.from([
    ...latin1("mpoolDev"),
    ...latin1("a pool".padEnd(32, "\0")),
    ...counting(16),
    ...le16(1),
    ...le32(2),
  ]);
  return patch(0, fields, le32(crc32c(fields) ^ difference));
}

/** The superblock of an APFS container with its checksum of Fletcher. */
function apfs(blockBytes: number): Patch {
  const sb = new Uint8Array(4096);
  sb.set(le16(1), 24);
  sb.set([...latin1("NXSB"), ...le32(blockBytes)], 32);
  sb.set(counting(16), 72);
  let [low, high] = [0n, 0n];
  for (let at = 8; at < sb.length; at += 4) {
    low += BigInt(readLe32(sb, at));
    high += low;
  }
  const most = 0xffffffffn;
  const first = most ^ ((low + high) % most);
  sb.set(le64(((most ^ ((low + first) % most)) << 32n) | first), 0);
  return { at: 0, bytes: sb };
}

function zonefs(): Patch {
  const sb = new Uint8Array(4096);
  sb.set([...latin1("SFOZ"), ...le32(0), ...latin1("zone label")]);
  sb.set(counting(16), 40);
  sb.set(le32(rawCrc32(sb, 0xffffffff)), 4);
  return { at: 0, bytes: sb };
}

/** Filesystems without a tool in Debian 12, and forms that no tool makes. */
export const FILESYSTEM_HEADERS: readonly HandMade[] = [
  handMade(
    "exfs",
    SIZE,
    exfs,
    "LABEL=exfs\\ label | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | BLOCK_SIZE=4096 | TYPE=exfs | USAGE=filesystem",
  ),
  handMade(
    "squashfs-3",
    SIZE,
    [patch(0, "hsqs"), patch(28, le16(3), le16(1))],
    "VERSION=3.1 | BLOCK_SIZE=1024 | TYPE=squashfs3 | USAGE=filesystem",
  ),
  handMade(
    "squashfs-3-big-endian",
    SIZE,
    [patch(0, "sqsh"), patch(28, be16(3), be16(0))],
    "VERSION=3.0 | BLOCK_SIZE=1024 | TYPE=squashfs3 | USAGE=filesystem",
  ),
  handMade(
    "vmfs",
    SIZE,
    [patch(2 * MIB, le32(0x2fabf15e), le32(1), [5], counting(16)), patch(2 * MIB + 29, "datastore1")],
    "UUID=04030201-08070605-0a09-0b0c0d0e0f10 | LABEL=datastore1 | VERSION=5 | TYPE=VMFS | USAGE=filesystem",
  ),
  handMade(
    "apfs",
    SIZE,
    [apfs(4096)],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | BLOCK_SIZE=4096 | TYPE=apfs | USAGE=filesystem",
  ),
  handMade("apfs-other-block", SIZE, [apfs(8192)], ""),
  handMade("apfs-bad-sum", SIZE, [apfs(4096), patch(72, [9])], ""),
  handMade(
    "zonefs",
    SIZE,
    [zonefs()],
    "LABEL=zone\\ label | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | BLOCK_SIZE=4096 | TYPE=zonefs | USAGE=filesystem",
  ),
  handMade("f2fs-1.0", SIZE, [patch(1024, le32(0xf2f52010), le16(1), le16(0))], "TYPE=f2fs | USAGE=filesystem"),
  handMade(
    "jfs-wrong-log",
    SIZE,
    [patch(32768, "JFS1"), patch(32784, le32(4096), le16(11), le16(3), le32(512), le16(9))],
    "",
  ),
  handMade(
    "xfs-log-far",
    SIZE,
    [patch(100 * 512, be32(0xfeedbabe), be32(1), be32(2), be32(512)), patch(100 * 512 + 300, be32(1), counting(16))],
    "LOGUUID=01020304-0506-0708-090a-0b0c0d0e0f10 | TYPE=xfs_external_log | USAGE=other",
  ),
  handMade(
    "xfs-log-very-far",
    SIZE,
    [patch(400 * 512, be32(0xfeedbabe), be32(1), be32(2), be32(512)), patch(400 * 512 + 300, be32(1), counting(16))],
    "LOGUUID=01020304-0506-0708-090a-0b0c0d0e0f10 | TYPE=xfs_external_log | USAGE=other",
  ),
  handMade(
    "nilfs-first-newer",
    SIZE,
    [nilfs(1024, 9, "first"), nilfs(SIZE - 4096, 8, "second")],
    "LABEL=second | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=2 | BLOCK_SIZE=1024 | TYPE=nilfs2 | USAGE=filesystem",
  ),
  handMade(
    "nilfs-second-newer",
    SIZE,
    [nilfs(1024, 8, "first"), nilfs(SIZE - 4096, 9, "second")],
    "LABEL=first | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=2 | BLOCK_SIZE=1024 | TYPE=nilfs2 | USAGE=filesystem",
  ),
  handMade(
    "nilfs-first-damaged",
    SIZE,
    [nilfs(1024, 8, "first"), patch(1200, "X"), nilfs(SIZE - 4096, 8, "second")],
    "LABEL=second | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=2 | BLOCK_SIZE=1024 | TYPE=nilfs2 | USAGE=filesystem",
  ),
  handMade(
    "tiny-two-types",
    MIB,
    [
      patch(0, "hsqs"),
      patch(12, le32(131072)),
      patch(28, le16(4), le16(0)),
      patch(1024, le32(0xe0f5e1e2)),
      patch(1036, [12]),
    ],
    "VERSION=4.0 | BLOCK_SIZE=131072 | TYPE=squashfs | USAGE=filesystem",
  ),
  handMade(
    "two-types",
    2 * MIB,
    [
      patch(0, "hsqs"),
      patch(12, le32(131072)),
      patch(28, le16(4), le16(0)),
      patch(1024, le32(0xe0f5e1e2)),
      patch(1036, [12]),
    ],
    "ambivalent",
  ),
  handMade(
    "mpool",
    SIZE,
    [mpool(0)],
    "LABEL=a\\ pool | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | TYPE=mpool | USAGE=filesystem",
  ),
  handMade("mpool-bad-sum", SIZE, [mpool(1)], ""),
];
