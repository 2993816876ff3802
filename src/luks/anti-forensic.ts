import { BootError } from "../errors.ts";
import { findHash, type Hash } from "./hash.ts";
import { runtimeCrypto } from "./runtime-crypto.ts";
import { wipe } from "./secret.ts";

/**
 * The key of `keyBytes` that was split into `stripes` (LUKS1 On-Disk Format Specification, 2.4, AFmerge): all of them are
 * needed, so destroying any destroys the key. `split` holds them one after the other; bytes beyond are left alone.
 * Throws BootError where the runtime does not have the hash.
 */
export function mergeStripes(split: Uint8Array, keyBytes: number, stripes: number, hashName: string): Uint8Array {
  const hash = findHash(hashName);
  if (hash === null) throw new BootError(`hash ${hashName} is not supported`);
  if (split.length < keyBytes * stripes) throw new BootError("the key material is too short");
  const merged = new Uint8Array(keyBytes);
  for (let stripe = 0; stripe < stripes; stripe++) {
    if (stripe > 0) diffuse(merged, hash);
    const start = stripe * keyBytes;
    for (let at = 0; at < keyBytes; at++) merged[at] = (merged[at] ?? 0) ^ (split[start + at] ?? 0);
  }
  return merged;
}

/** Spreads every bit over its block (2.4, "H1"): each piece of the hash's size becomes the hash of its number and itself, the last one cut. */
function diffuse(block: Uint8Array, hash: Hash): void {
  const number = new Uint8Array(4);
  const view = new DataView(number.buffer);
  for (let at = 0, index = 0; at < block.length; at += hash.bytes, index++) {
    view.setUint32(0, index);
    const piece = block.subarray(at, at + hash.bytes);
    const digest = runtimeCrypto().createHash(hash.name).update(number).update(piece).digest();
    piece.set(digest.subarray(0, piece.length));
    wipe(digest);
  }
}
