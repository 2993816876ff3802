import { findHash, type Hash, hashBytes } from "../crypto/hash.ts";
import { secretBytes, wipe } from "../crypto/secret.ts";
import { problem } from "../problems/problem.ts";

const WORD_BYTES = 4;
const NUMBER_BYTES = 4;

/**
 * Merges the key of `keyBytes` that was split into `stripes` (LUKS1 On-Disk Format Specification, 2.4, AFmerge): all of them are
 * needed, so destroying one destroys the key. `split` has them one after the other; bytes after them are ignored.
 * Throws BootError if `find` does not know the hash.
 */
export function mergeStripes(
  split: Uint8Array,
  keyBytes: number,
  stripes: number,
  hashName: string,
  find = findHash,
): Uint8Array {
  const hash = find(hashName);
  if (hash === null) throw problem("hash-unsupported", { hash: hashName });
  if (split.length < keyBytes * stripes) throw problem("key-material-too-short", {});
  const inWords = keyBytes % WORD_BYTES === 0 && split.byteOffset % WORD_BYTES === 0;
  const from = inWords ? new Uint32Array(split.buffer, split.byteOffset, (keyBytes * stripes) / WORD_BYTES) : split;
  const pieces = cutIntoPieces(keyBytes, hash, inWords);
  try {
    mergeInto(pieces, from, stripes, hash);
    const merged = secretBytes(keyBytes);
    for (const [index, { numbered }] of pieces.entries()) {
      merged.set(numbered.subarray(NUMBER_BYTES), index * hash.bytes);
    }
    return merged;
  } finally {
    wipe(...pieces.map(({ numbered }) => numbered));
  }
}

function mergeInto(pieces: readonly Piece[], from: Uint8Array | Uint32Array, stripes: number, hash: Hash): void {
  for (let stripe = 0, at = 0; stripe < stripes; stripe++) {
    for (const { numbered, units } of pieces) {
      if (stripe > 0) diffuse(numbered, hash);
      for (let unit = 0; unit < units.length; unit++, at++) units[unit] = (units[unit] ?? 0) ^ (from[at] ?? 0);
    }
  }
}

type Piece = ReturnType<typeof cutIntoPieces>[number];

/**
 * Returns pieces as long as a digest, the last one may be shorter: `numbered`, the number and the piece, are hashed; `units` are the
 * piece alone, in bytes or words. Words are four times as fast: this runs once, before the code is compiled.
 */
function cutIntoPieces(keyBytes: number, hash: Hash, inWords: boolean) {
  return Array.from({ length: Math.ceil(keyBytes / hash.bytes) }, (_, index) => {
    const numbered = secretBytes(NUMBER_BYTES + Math.min(hash.bytes, keyBytes - index * hash.bytes));
    new DataView(numbered.buffer).setUint32(0, index);
    const units = inWords ? new Uint32Array(numbered.buffer, NUMBER_BYTES) : numbered.subarray(NUMBER_BYTES);
    return { numbered, units };
  });
}

/** Spreads every bit over its piece (2.4, "H1"): replaces it with the hash of its number and itself, the last one truncated. */
function diffuse(numbered: Uint8Array, hash: Hash): void {
  const digest = hashBytes(hash, numbered);
  const length = numbered.length - NUMBER_BYTES;
  numbered.set(digest.length > length ? digest.subarray(0, length) : digest, NUMBER_BYTES);
  wipe(digest);
}
