import type { Area } from "../area.ts";
import { holds, le16, le32, le64 } from "../bytes.ts";
import { crc32c, crc64 } from "../checksums.ts";
import type { ByteSource } from "../facts.ts";
import { at, blockSize, type Field, filesystem, label, uuid, version } from "../layout.ts";
import type { Magic } from "../signature.ts";
import { addTrimmed, addUuid, untilNul } from "../tags.ts";
import { BCACHE_MAGIC } from "./bcache.ts";

const BCACHEFS_MAGIC = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
const MAGIC_AT = 24;
const MIB = 1024 * 1024;
// struct bch_sb without its fields, which follow.
const HEAD_BYTES = 752;
const MAX_SIZE_BITS = 16;

function isChecksumRight(sb: Uint8Array): boolean {
  const kind = (sb[144] ?? 0) >> 2;
  if (kind === 1) return crc32c(sb.subarray(16)) === le32(sb, 0);
  if (kind === 2) return crc64(sb.subarray(16)) === le64(sb, 0);
  // 7 is XXH64, 0 none; unknown ones are not checked.
  return kind !== 7 || BigInt(Bun.hash.xxHash64(sb.subarray(16))) === le64(sb, 0);
}

/** The superblock is at 4 KiB; copies are at 2 MiB and 1 MiB before the end. Each knows its place. */
function findSuperblock(area: Area, magic: Magic): Uint8Array | null {
  const offset = magic.at - MAGIC_AT;
  const head = area.bytes(offset, HEAD_BYTES);
  if (head === null || le64(head, 104) !== BigInt(Math.floor(offset / 512))) return null;
  const [index = 0, count = 0] = head.subarray(122, 124);
  const [size, sizeBits] = [HEAD_BYTES + le32(head, 124) * 8, head[257] ?? 255];
  if (index >= count || sizeBits > MAX_SIZE_BITS || size > 512 * 2 ** sizeBits) return null;
  const sb = area.bytes(offset, size);
  return sb !== null && isChecksumRight(sb) ? sb : null;
}

const [MEMBERS_V1, DISK_GROUPS, MEMBERS_V2] = [1, 5, 11];

/** Returns the fields after the head, each with its own head of 8 bytes, in their order. */
function readFields(sb: Uint8Array) {
  const fields: { readonly kind: number; readonly bytes: Uint8Array }[] = [];
  for (let offset = HEAD_BYTES; offset + 8 <= sb.length; ) {
    const size = le32(sb, offset) * 8;
    const kind = le32(sb, offset + 4);
    if (size < 8 || offset + size > sb.length || kind === 0) break;
    fields.push({ kind, bytes: sb.subarray(offset, offset + size) });
    offset += size;
  }
  return fields;
}

/** Returns the entries of all devices in each list of members. Version 1 has 56 bytes a device, version 2 says how many; both may be there. */
function listMembers(sb: Uint8Array, fields: ReturnType<typeof readFields>): readonly (readonly Uint8Array[])[] {
  const count = sb[123] ?? 0;
  return fields.flatMap(({ kind, bytes }) => {
    if (kind !== MEMBERS_V1 && kind !== MEMBERS_V2) return [];
    const [start, size] = kind === MEMBERS_V2 ? [16, le16(bytes, 8)] : [8, 56];
    if (size < 16 || bytes.length !== start + count * size) return [];
    const entry = (_: unknown, index: number) => bytes.subarray(start + index * size, start + (index + 1) * size);
    return [Array.from({ length: count }, entry)];
  });
}

const GROUP_BYTES = 48;
const MAX_DEPTH = 32;

/** Returns the names of a group and its parents, the outermost first, as "ssd.fast"; null if one of them is missing or deleted. */
function nameGroup(groups: Uint8Array, innermost: number): Uint8Array | null {
  const names: Uint8Array[] = [];
  for (let index = innermost, depth = 0; depth < MAX_DEPTH; depth++) {
    const group = groups.subarray(8 + index * GROUP_BYTES, 8 + (index + 1) * GROUP_BYTES);
    const flags = le32(group, 32);
    if (group.length < GROUP_BYTES || (flags & 1) !== 0) return null;
    names.unshift(untilNul(group.subarray(0, 32)));
    const parent = (flags >>> 6) & 0x3ffff;
    if (parent === 0) return Uint8Array.from(names.flatMap((name, i) => [...(i === 0 ? [] : [0x2e]), ...name]));
    index = parent - 1;
  }
  return null;
}

/** UUID_SUB, as often as libblkid finds it, and LABEL_SUB of this device. */
const member: Field = (tags, sb) => {
  const fields = readFields(sb);
  const members = listMembers(sb, fields).flatMap((entries) => entries[sb[122] ?? 0] ?? []);
  for (const bytes of members) addUuid(tags, bytes.subarray(0, 16), "UUID_SUB");
  const group = members.reduce(
    (last, bytes) => (bytes.length < 48 ? last : Number((le64(bytes, 40) >> 20n) & 0xffn)),
    0,
  );
  const groups = fields.findLast(({ kind }) => kind === DISK_GROUPS);
  const name = group === 0 || groups === undefined ? null : nameGroup(groups.bytes, group - 1);
  if (name !== null) addTrimmed(tags, "LABEL_SUB", name);
};

/** bcachefs (struct bch_sb of fs/bcachefs/bcachefs_format.h). */
export const bcachefs = filesystem(
  "bcachefs",
  [
    ...at(4096 + MAGIC_AT, BCACHE_MAGIC, BCACHEFS_MAGIC),
    ...at(2 * MIB + MAGIC_AT, BCACHEFS_MAGIC),
    ...at(MAGIC_AT - MIB, BCACHEFS_MAGIC),
  ],
  findSuperblock,
  [
    uuid(56),
    label(72, 32),
    version((sb) => `${le16(sb, 16) >> 10}.${le16(sb, 16) & 0x3ff}`),
    blockSize((sb) => le16(sb, 120) * 512),
    member,
  ],
  { minSize: 128 * 1024 },
);

/** A device of a bcachefs filesystem: how many devices that has, and the number of this one. */
export type BcachefsMember = Readonly<{ deviceCount: number; deviceId: number }>;

/** Reads the first superblock of a device; null if it is not bcachefs, or has no list of members. */
export function readBcachefsMember(source: ByteSource): BcachefsMember | null {
  const head = source.read(4096, HEAD_BYTES);
  if (head.length < HEAD_BYTES || !holds(head, MAGIC_AT, BCACHEFS_MAGIC)) return null;
  // `bcachefs format` leaves so much room for a superblock; a crafted one says more.
  const sb = source.read(4096, Math.min(HEAD_BYTES + le32(head, 124) * 8, MIB));
  const entries = listMembers(sb, readFields(sb)).at(-1);
  if (entries === undefined) return null;
  // A device that was removed leaves its place without a UUID (bch2_member_alive of fs/bcachefs/sb-members.h).
  const present = entries.filter((entry) => entry.subarray(0, 16).some((byte) => byte !== 0));
  return { deviceCount: present.length, deviceId: sb[122] ?? 0 };
}
