import { findHash, type Hash, hashBytes, hashInto } from "../crypto/hash.ts";
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
    for (const [index, { bytes }] of pieces.entries()) merged.set(bytes, index * hash.bytes);
    return merged;
  } finally {
    wipe(...pieces.map(({ numbered }) => numbered));
  }
}

function mergeInto(pieces: readonly Piece[], from: Uint8Array | Uint32Array, stripes: number, hash: Hash): void {
  for (let stripe = 0, at = 0; stripe < stripes; stripe++) {
    for (const piece of pieces) {
      if (stripe > 0) diffuse(piece, hash);
      const { units } = piece;
      const count = units.length;
      for (let unit = 0; unit < count; unit++, at++) units[unit] = (units[unit] as number) ^ (from[at] as number);
    }
  }
}

type Piece = ReturnType<typeof cutIntoPieces>[number];

/**
 * Returns pieces as long as a digest, the last one may be shorter: `numbered`, the number and the piece, are hashed; `bytes` and `units`
 * are the piece alone, in bytes, and in words if possible. Words are four times as fast: this runs once, before the code is compiled.
 */
function cutIntoPieces(keyBytes: number, hash: Hash, inWords: boolean) {
  return Array.from({ length: Math.ceil(keyBytes / hash.bytes) }, (_, index) => {
    const numbered = secretBytes(NUMBER_BYTES + Math.min(hash.bytes, keyBytes - index * hash.bytes));
    new DataView(numbered.buffer).setUint32(0, index);
    const bytes = numbered.subarray(NUMBER_BYTES);
    return { numbered, bytes, units: inWords ? new Uint32Array(numbered.buffer, NUMBER_BYTES) : bytes };
  });
}

/** Spreads every bit over its piece (2.4, "H1"): replaces it with the hash of its number and itself, the last one truncated. */
function diffuse({ numbered, bytes }: Piece, hash: Hash): void {
  // In place, without a digest to wipe: a key of 64 bytes takes 8000 of them.
  if (bytes.length === hash.bytes) {
    hashInto(hash, numbered, bytes);
    return;
  }
  const digest = hashBytes(hash, numbered);
  bytes.set(digest.subarray(0, bytes.length));
  wipe(digest);
}
