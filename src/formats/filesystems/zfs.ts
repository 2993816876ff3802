import type { Area } from "../area.ts";
import { be32, be64, le64 } from "../bytes.ts";
import { isCovered } from "../partitions/partition-table.ts";
import type { Signature } from "../signature.ts";
import { addBlockSize, addLabel, addTag, addVersion, type Tags } from "../tags.ts";

// ZFS On-Disk Specification, chapter 1: four labels of 256 KiB, two at either end; each has a list of names at 16 KiB
// and 128 uberblocks of 1 KiB at 128 KiB.
const LABEL_BYTES = 256 * 1024;
const NAMES_AT = 16 * 1024;
const NAMES_BYTES = 4096;
const UBERBLOCKS_AT = 128 * 1024;
const UBERBLOCK_BYTES = 1024;
const UBERBLOCK_COUNT = 128;
const UBERBLOCK_MAGIC = 0x00bab10cn;
const WANTED = 4;

function listLabels(size: number): readonly number[] {
  const end = size - (size % LABEL_BYTES);
  return [0, LABEL_BYTES, end - 2 * LABEL_BYTES, end - LABEL_BYTES];
}

/** The list of names begins with its encoding (1: XDR) and byte order. Without it the other half of the label is not read. */
function hasNames(area: Area, label: number): boolean {
  const head = area.bytes(label + NAMES_AT, 2);
  return head !== null && head[0] === 1 && (head[1] ?? 2) <= 1;
}

/** Returns how many there are, and the version of the last one. */
function findUberblocks(area: Area, label: number) {
  const ring = area.bytes(label + UBERBLOCKS_AT, UBERBLOCK_COUNT * UBERBLOCK_BYTES);
  let count = 0;
  let version = 0n;
  for (let at = 0; ring !== null && at < ring.length; at += UBERBLOCK_BYTES) {
    const read64 = [le64, be64].find((read) => read(ring, at) === UBERBLOCK_MAGIC);
    if (read64 !== undefined) {
      count++;
      version = read64(ring, at + 8);
    }
  }
  return { count, version };
}

/** A device of a ZFS pool: at least four uberblocks in its labels. Those inside a partition of a disk belong to the partition. */
export const zfs: Signature = {
  type: "zfs_member",
  usage: "filesystem",
  minSize: 64 * 1024 * 1024,
  magics: [],
  read(area, tags) {
    let count = 0;
    for (const label of listLabels(area.size).filter((offset) => hasNames(area, offset))) {
      const found =
        area.kind !== "partition" && isCovered(area, label, LABEL_BYTES) ? null : findUberblocks(area, label);
      count += found?.count ?? 0;
      if (found !== null && found.count > 0 && count >= WANTED) {
        addVersion(tags, found.version.toString());
        const aligned = label - (label % LABEL_BYTES);
        addPoolTags(area.bytes(aligned + NAMES_AT, NAMES_BYTES) ?? new Uint8Array(), tags);
        return true;
      }
    }
    return false;
  },
};

// A name/value list in XDR (RFC 4506), as nvlist_pack(3NVPAIR) writes it: size, decoded size, length of the name, name, type, count, value.
const LIST_HEAD_BYTES = 12;
const PAIR_HEAD_BYTES = 12;
const VALUE_HEAD_BYTES = 16;
const [UINT64, STRING, LIST] = [8, 9, 19];
const LIST_END_BYTES = 8;

/** Adds LABEL (the name of the pool), UUID_SUB (of the device), UUID (of the pool) and BLOCK_SIZE from the first 4 KiB of a label's names, in their order. */
function addPoolTags(names: Uint8Array, tags: Tags): void {
  for (const { name, bytes, depth } of readValues(names)) {
    const isNumber = bytes.length >= VALUE_HEAD_BYTES && be32(bytes, 0) === UINT64;
    const number = be64(bytes, 8);
    if (name === "name" && depth === 0 && be32(bytes, 0) === STRING && be32(bytes, 8) + 12 <= bytes.length) {
      addLabel(tags, bytes.subarray(12, 12 + be32(bytes, 8)));
    } else if (name === "guid" && depth === 0 && isNumber) {
      addTag(tags, "UUID_SUB", number.toString());
    } else if (name === "pool_guid" && depth === 0 && isNumber && number !== 0n) {
      addTag(tags, "UUID", number.toString());
    } else if (name === "ashift" && isNumber && number < 32n) {
      addBlockSize(tags, 2 ** Number(number));
    }
  }
}

/** Yields each value: `bytes` are its type, count and content. */
function* readValues(names: Uint8Array) {
  let at = LIST_HEAD_BYTES;
  let depth = 0;
  while (names.length - at > PAIR_HEAD_BYTES) {
    const size = be32(names, at);
    const nameBytes = be32(names, at + 8);
    const start = at + PAIR_HEAD_BYTES + Math.ceil(nameBytes / 4) * 4;
    if (size === 0 && depth === 0) return;
    if (size === 0) {
      depth--;
      at += LIST_END_BYTES;
      continue;
    }
    if (size > names.length - at || start - at > size) return;
    const bytes = names.subarray(start, at + size);
    if (bytes.length >= VALUE_HEAD_BYTES && be32(bytes, 0) === LIST) {
      depth++;
      at = start + VALUE_HEAD_BYTES;
    } else {
      const name = names.subarray(at + PAIR_HEAD_BYTES, at + PAIR_HEAD_BYTES + nameBytes);
      yield { name: String.fromCharCode(...name), bytes, depth };
      at += size;
    }
  }
}
