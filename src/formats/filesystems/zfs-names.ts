import { be32, be64 } from "../bytes.ts";
import { addBlockSize, addLabel, addTag, type Tags } from "../tags.ts";

// A name/value list in XDR (RFC 4506), as nvlist_pack(3NVPAIR) writes it: size, decoded size, length of the name, name, type, count, value.
const LIST_HEAD_BYTES = 12;
const PAIR_HEAD_BYTES = 12;
const VALUE_HEAD_BYTES = 16;
const UINT64 = 8;
const STRING = 9;
const LIST = 19;
const LIST_END_BYTES = 8;

interface Value {
  readonly name: string;
  /** Type, count and content. */
  readonly bytes: Uint8Array;
  readonly depth: number;
}

/** Adds LABEL (the name of the pool), UUID_SUB (of the device), UUID (of the pool) and BLOCK_SIZE from the first 4 KiB of a label's names, in their order. */
export function addPoolTags(names: Uint8Array, tags: Tags): void {
  for (const value of readValues(names)) addValue(value, tags);
}

function* readValues(names: Uint8Array): Generator<Value> {
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

function addValue({ name, bytes, depth }: Value, tags: Tags): void {
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
