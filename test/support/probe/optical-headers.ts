import { rawCrc32c } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, MIB } from "./header.ts";
import { be16, be32, counting, latin1, le16, le32, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;

const hfsBlock = [patch(1024, "BD"), patch(1044, be32(512))];
/** The record of a directory at block 20, which is the first entry of its own extent. */
const rootRecord = [
  34,
  0,
  ...le32(20),
  ...be32(20),
  ...le32(2048),
  ...be32(2048),
  ...new Array<number>(14).fill(0),
  1,
  0,
];
const isoBlock = [
  patch(32768, [1], "CD001"),
  patch(32808, "HYBRID"),
  patch(32768 + 128, le16(2048), be16(2048)),
  patch(32768 + 156, rootRecord),
  patch(20 * 2048, rootRecord),
];
/** High Sierra: a block number before the descriptor, and other places of the later fields. */
const highSierra = [
  patch(32768 + 8, [1], "CDROM", [1, 0], "SYSTEM".padEnd(32), "HIGH SIERRA".padEnd(32)),
  patch(32776 + 128, le16(2048), be16(2048)),
  patch(32776 + 172, rootRecord, "SET".padEnd(128), "PUBLISHER".padEnd(128), "PREPARER".padEnd(128), "APP".padEnd(128)),
  patch(32776 + 782, "1987010203040506", "1988010203040506"),
  patch(20 * 2048, rootRecord),
];

/** EROFS with blocks of 4 KiB, with the checksum of its block. */
function erofs(): Patch {
  const block = new Uint8Array(4096 - 1024);
  block.set([...le32(0xe0f5e1e2), ...le32(0), ...le32(1), 12]);
  block.set([...counting(16), ...latin1("erofs label 16ch")], 48);
  block.set(le32(rawCrc32c(block)), 4);
  return { at: 1024, bytes: block };
}

/** ISO 9660 and EROFS, alone and beside others. */
export const OPTICAL_HEADERS: readonly HandMade[] = [
  handMade(
    "erofs-label",
    SIZE,
    [patch(1024, le32(0xe0f5e1e2)), patch(1036, [12]), patch(1072, counting(16), "erofs label 16ch")],
    "LABEL=erofs\\ label\\ 16ch | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | BLOCK_SIZE=4096 | TYPE=erofs | USAGE=filesystem",
  ),
  handMade(
    "high-sierra",
    SIZE,
    highSierra,
    "BLOCK_SIZE=2048 | SYSTEM_ID=SYSTEM | VOLUME_SET_ID=SET | PUBLISHER_ID=PUBLISHER | DATA_PREPARER_ID=PREPARER | APPLICATION_ID=APP | UUID=1988-01-02-03-04-05-06 | VERSION=High\\ Sierra | LABEL=HIGH\\ SIERRA | TYPE=iso9660 | USAGE=filesystem",
  ),
  handMade("iso-without-root", SIZE, isoBlock.slice(0, 4), ""),
  handMade("iso-root-is-another", SIZE, [...isoBlock, patch(20 * 2048 + 2, le32(21))], ""),
  handMade(
    "erofs-with-sum",
    SIZE,
    [erofs()],
    "LABEL=erofs\\ label\\ 16ch | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | BLOCK_SIZE=4096 | TYPE=erofs | USAGE=filesystem",
  ),
  handMade("erofs-bad-sum", SIZE, [erofs(), patch(1024 + 64, "E")], ""),
  // The number of inodes is the magic of Minix.
  handMade(
    "erofs-with-minix-magic",
    SIZE,
    [patch(1024, le32(0xe0f5e1e2)), patch(1024, [], le32(0xe0f5e1e2), le32(0), le32(0), [12, 0, 0, 0], le16(0x137f))],
    "BLOCK_SIZE=4096 | TYPE=erofs | USAGE=filesystem",
  ),
  handMade("ext-and-minix-and-iso", SIZE, [...isoBlock, patch(4086, "SWAP-SPACE")], "ambivalent"),
  handMade(
    "hybrid-iso-and-hfs",
    SIZE,
    [...hfsBlock, ...isoBlock],
    "BLOCK_SIZE=2048 | LABEL=HYBRID | TYPE=iso9660 | USAGE=filesystem",
  ),
  handMade("iso-and-erofs", SIZE, [patch(1024, le32(0xe0f5e1e2)), patch(1036, [12]), ...isoBlock], "ambivalent"),
];
