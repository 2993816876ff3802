import { crc32c, crc64 } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, MIB } from "./header.ts";
import { counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;

/** The superblock of bcache with a label and its checksum; `version` 0 is a cache, 1 a backing and 3 a journal device. */
function bcache(version: number, buckets = 0): readonly Patch[] {
  const sb = new Uint8Array(2258);
  sb.set([...le64(0), ...le64(8), ...le64(version), ...BCACHE, ...counting(16)]);
  sb.set(latin1("a cache"), 72);
  sb.set(le16(8), 192);
  sb.set(le16(buckets), 206);
  sb.set(le64(crc64(sb.subarray(8, 208 + 8 * buckets))), 0);
  return [{ at: 4096, bytes: sb }];
}

/** A superblock of bcachefs for the place `at`: two devices, this one in the group ssd.fast; without the second list of members if `isOld`. */
function bcachefs(at: number, isOld = false): Patch {
  const field = (type: number, data: readonly number[]) => [
    ...le32(1 + Math.ceil(data.length / 8)),
    ...le32(type),
    ...data,
  ];
  const group = (name: string, flags: number) => [...latin1(name.padEnd(32, "\0")), ...le64(flags), ...le64(0)];
  const member = (first: number, size: number) => [
    ...counting(16, first),
    ...new Array<number>(24).fill(0),
    ...le64(2 << 20),
    ...new Array<number>(size - 48).fill(0),
  ];
  const fields = [
    ...field(1, [...member(1, 56), ...member(33, 56)]),
    ...(isOld ? [] : field(11, [...le16(64), 0, 0, 0, 0, 0, 0, ...member(1, 64), ...member(65, 64)])),
    ...field(5, [...group("ssd", 0), ...group("fast", 1 << 6)]),
  ];
  const sb = new Uint8Array(752 + fields.length);
  sb.set([...le16((1 << 10) | 33), ...le16(0), 0, 0, 0, 0, ...BCACHEFS], 16);
  sb.set([...counting(16), ...latin1("a pool")], 56);
  sb.set([...le64(at / 512), ...le64(1), ...le16(8), 1, 2, ...le32(fields.length / 8)], 104);
  sb.set([1 << 2], 144);
  sb.set([16], 257);
  sb.set(fields, 752);
  sb.set(le32(crc32c(sb.subarray(16))), 0);
  return { at, bytes: sb };
}

const BCACHE = latin1("\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81");
const BCACHEFS = latin1("\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef");

export const CACHE_HEADERS: readonly HandMade[] = [
  handMade(
    "bcache-cache",
    SIZE,
    bcache(0, 3),
    "VERSION=0 | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ cache | BLOCK_SIZE=4096 | TYPE=bcache | USAGE=other",
  ),
  handMade(
    "bcache-backing",
    SIZE,
    bcache(1),
    "VERSION=1 | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ cache | BLOCK_SIZE=4096 | TYPE=bcache | USAGE=other",
  ),
  handMade(
    "bcache-journal",
    SIZE,
    bcache(3),
    "VERSION=3 | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ cache | BLOCK_SIZE=4096 | TYPE=bcache | USAGE=other",
  ),
  handMade("bcache-bad-sum", SIZE, [...bcache(1), patch(4096 + 72, "b")], ""),
  handMade("bcache-too-many-buckets", SIZE, bcache(0, 257), ""),
  handMade(
    "bcachefs",
    SIZE,
    [bcachefs(4096)],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ pool | VERSION=1.33 | BLOCK_SIZE=4096 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | UUID_SUB=41424344-4546-4748-494a-4b4c4d4e4f50 | LABEL_SUB=ssd.fast | TYPE=bcachefs | USAGE=filesystem",
  ),
  handMade(
    "bcachefs-old-members",
    SIZE,
    [bcachefs(4096, true)],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ pool | VERSION=1.33 | BLOCK_SIZE=4096 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | LABEL_SUB=ssd.fast | TYPE=bcachefs | USAGE=filesystem",
  ),
  handMade(
    "bcachefs-copy",
    SIZE,
    [bcachefs(2 * MIB)],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ pool | VERSION=1.33 | BLOCK_SIZE=4096 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | UUID_SUB=41424344-4546-4748-494a-4b4c4d4e4f50 | LABEL_SUB=ssd.fast | TYPE=bcachefs | USAGE=filesystem",
  ),
  handMade(
    "bcachefs-last-copy",
    SIZE,
    [bcachefs(SIZE - MIB)],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=a\\ pool | VERSION=1.33 | BLOCK_SIZE=4096 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | UUID_SUB=41424344-4546-4748-494a-4b4c4d4e4f50 | LABEL_SUB=ssd.fast | TYPE=bcachefs | USAGE=filesystem",
  ),
  handMade("bcachefs-moved", SIZE, [{ ...bcachefs(2 * MIB), at: 4096 }], ""),
  handMade("bcachefs-bad-sum", SIZE, [bcachefs(4096), patch(4096 + 72, "b")], ""),
];
