import type { Area } from "../area.ts";
import { be32, be64 } from "../bytes.ts";
import { isCovered } from "../partitions/partition-table.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addTag, addVersion, type Tags } from "../tags.ts";

// ZFS On-Disk Specification, chapter 1: four labels of 256 KiB, two at either end; each has a list of names at 16 KiB.
const LABEL_BYTES = 256 * 1024;
const LIST_AT = 16 * 1024;
const LIST_BYTES = 112 * 1024;

/** Returns the places of the four lists. */
function listPlaces(size: number): readonly number[] {
  const end = size - (size % LABEL_BYTES);
  return [0, LABEL_BYTES, end - 2 * LABEL_BYTES, end - LABEL_BYTES].map((label) => label + LIST_AT);
}

// pool_state_t of include/sys/fs/zfs.h: spares and cache devices have no transaction; larger values do not exist.
const [SPARE, CACHE, LAST_STATE] = [3n, 4n, 7n];

/** True for the list of a device that belongs to a pool: complete, with the device's number, its state and a transaction. */
function isMember(area: Area, list: number): boolean {
  const found = new Map<string, bigint>();
  for (const value of readValues(area, list)) {
    if (value === null) return false;
    const { name, type, depth, bytes } = value;
    if (depth === 0 && type === UINT64 && bytes.length >= NUMBER_BYTES) found.set(name, be64(bytes, 8));
  }
  const state = found.get("state") ?? LAST_STATE + 1n;
  const isIdle = state === SPARE || state === CACHE;
  return (found.get("guid") ?? 0n) !== 0n && state <= LAST_STATE && (isIdle || (found.get("txg") ?? 0n) > 0n);
}

/** A device of a ZFS pool, by the first valid list of names. A list inside a partition of a disk belongs to the partition. */
export const zfs: Signature = {
  type: "zfs_member",
  usage: "filesystem",
  minSize: 64 * 1024 * 1024,
  magics: [],
  read(area, tags) {
    const isOwn = (list: number) => area.kind === "partition" || !isCovered(area, list, LIST_BYTES);
    const list = listPlaces(area.size).find((place) => isXdr(area, place) && isOwn(place) && isMember(area, place));
    if (list !== undefined) addPoolTags(area, list, tags);
    return list !== undefined;
  },
};

/** Adds VERSION, LABEL (the name of the pool), UUID (of the pool), UUID_SUB (of the device) and BLOCK_SIZE, in the order of the list. */
function addPoolTags(area: Area, list: number, tags: Tags): void {
  const before = tags.length;
  for (const value of readValues(area, list)) {
    if (value !== null) addPoolTag(tags, value);
    // The five come before the children of the device's tree, whose block sizes do not count.
    if (tags.length - before === POOL_TAGS) return;
  }
}

const POOL_TAGS = 5;

function addPoolTag(tags: Tags, { name, type, bytes, depth }: Value): void {
  const number = type === UINT64 && bytes.length >= NUMBER_BYTES ? be64(bytes, 8) : null;
  if (name === "ashift" && number !== null && number < 32n) addBlockSize(tags, 2 ** Number(number));
  if (depth > 0) return;
  if (name === "name" && type === STRING) addLabel(tags, readString(bytes));
  if (name === "version" && number !== null) addVersion(tags, number.toString());
  if (name === "guid" && number !== null) addTag(tags, "UUID_SUB", number.toString());
  if (name === "pool_guid" && number !== null && number !== 0n) addTag(tags, "UUID", number.toString());
}

// A name/value list in XDR (RFC 4506), as nvlist_pack(3NVPAIR) writes it: size, decoded size, length of the name, name, type, count, value.
const LIST_HEAD_BYTES = 12;
const PAIR_HEAD_BYTES = 12;
const TYPE_BYTES = 4;
const NUMBER_BYTES = 16;
const DIRECTORY_BYTES = 16;
const [UINT64, STRING, DIRECTORY] = [8, 9, 19];
const LIST_END_BYTES = 8;

type Value = Readonly<{ name: string; type: number; bytes: Uint8Array; depth: number }>;

/** The list begins with its encoding (1: XDR) and byte order (0 or 1), and is not empty. */
function isXdr(area: Area, list: number): boolean {
  const head = area.bytes(list, 16);
  return head !== null && head[0] === 1 && (head[1] ?? 2) <= 1 && be32(head, 12) !== 0;
}

function readString(bytes: Uint8Array): Uint8Array {
  const length = be32(bytes, 8);
  return length + 12 <= bytes.length ? bytes.subarray(12, 12 + length) : new Uint8Array();
}

/** Reads the pair at `offset`, with at most `room` bytes; its size is 0 at the end of a list. Returns null if it is malformed. */
function readPair(area: Area, offset: number, room: number) {
  const head = area.bytes(offset, PAIR_HEAD_BYTES);
  if (head === null) return null;
  const [size, nameBytes] = [be32(head, 0), be32(head, 8)];
  if (size === 0) return { size, name: "", type: 0, bytes: head };
  const start = PAIR_HEAD_BYTES + Math.ceil(nameBytes / 4) * 4;
  const pair = start + TYPE_BYTES <= size && size <= room ? area.bytes(offset, size) : null;
  const bytes = pair?.subarray(start) ?? new Uint8Array();
  const type = be32(bytes, 0);
  if (pair === null || type === 0 || (type === DIRECTORY && bytes.length < DIRECTORY_BYTES)) return null;
  const name = String.fromCharCode(...pair.subarray(PAIR_HEAD_BYTES, PAIR_HEAD_BYTES + nameBytes));
  return { size: type === DIRECTORY ? start + DIRECTORY_BYTES : size, name, type, bytes };
}

/** Yields each value, reading no more of the list than it has: `bytes` are its type, count and content. The last one is null if the list is malformed. */
function* readValues(area: Area, list: number): Generator<Value | null, void> {
  let depth = 0;
  for (let at = LIST_HEAD_BYTES; LIST_BYTES - at > PAIR_HEAD_BYTES; ) {
    const pair = readPair(area, list + at, LIST_BYTES - at);
    if (pair === null) return yield null;
    if (pair.size === 0 && depth === 0) return;
    if (pair.size === 0) depth--;
    else if (pair.type === DIRECTORY) depth++;
    else yield { ...pair, depth };
    at += pair.size || LIST_END_BYTES;
  }
}
