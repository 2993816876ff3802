import { runtimeCrypto, wipe } from "./secret.ts";

const BLOCK_BYTES = 16;

/**
 * AES-XTS (IEEE 1619-2007, 5.4) on top of the runtime's ECB: decrypts `data`, whole units of `unitBytes` (a multiple of
 * 16, so without ciphertext stealing), unit i with the tweak at 16·i of `tweaks`. The first half of `key` is for the data, the second for the tweaks.
 */
export function decryptXts(key: Uint8Array, tweaks: Uint8Array, data: Uint8Array, unitBytes: number): Uint8Array {
  return transform("createDecipheriv", key, tweaks, data, unitBytes);
}

/** The reverse of `decryptXts`. */
export function encryptXts(key: Uint8Array, tweaks: Uint8Array, data: Uint8Array, unitBytes: number): Uint8Array {
  return transform("createCipheriv", key, tweaks, data, unitBytes);
}

function transform(
  direction: "createCipheriv" | "createDecipheriv",
  key: Uint8Array,
  tweaks: Uint8Array,
  data: Uint8Array,
  unitBytes: number,
): Uint8Array {
  const { createCipheriv, [direction]: create } = runtimeCrypto();
  const half = key.length / 2;
  const algorithm = `aes-${half * 8}-ecb`;
  // Copies: `subarray` of a key that the runtime made would leave one that is never wiped (secretBytes).
  const [dataKey, tweakKey] = [key.slice(0, half), key.slice(half)];
  let masks: Uint32Array | null = null;
  let outer: Uint8Array | null = null;
  let inner: Uint8Array | null = null;
  try {
    const encrypted = createCipheriv(algorithm, tweakKey, null).setAutoPadding(false).update(tweaks);
    masks = spreadTweaks(encrypted, unitBytes / BLOCK_BYTES);
    outer = mask(data, masks);
    inner = create(algorithm, dataKey, null).setAutoPadding(false).update(outer);
    return mask(inner, masks);
  } finally {
    masks?.fill(0);
    wipe(outer, inner, dataKey, tweakKey);
  }
}

/** For each block of each unit the encrypted tweak times α to the block's number in GF(2^128), modulo x^128 + x^7 + x^2 + x + 1. */
function spreadTweaks(encrypted: Uint8Array, blocksPerUnit: number): Uint32Array {
  const units = encrypted.length / BLOCK_BYTES;
  const words = new Uint32Array((units * blocksPerUnit * BLOCK_BYTES) / 4); // little-endian, as every machine that this runs on
  const start = new DataView(encrypted.buffer, encrypted.byteOffset, encrypted.length);
  for (let unit = 0, at = 0; unit < units; unit++) {
    const word = (offset: number) => start.getUint32(unit * BLOCK_BYTES + offset, true);
    let [a, b, c, d] = [word(0), word(4), word(8), word(12)];
    for (let block = 0; block < blocksPerUnit; block++) {
      words[at++] = a;
      words[at++] = b;
      words[at++] = c;
      words[at++] = d;
      const carry = d >>> 31 === 1 ? 0x87 : 0;
      d = (d << 1) | (c >>> 31);
      c = (c << 1) | (b >>> 31);
      b = (b << 1) | (a >>> 31);
      a = (a << 1) ^ carry;
    }
  }
  wipe(encrypted);
  return words;
}

/** Returns `bytes` XOR `masks` as a new array. By words: this runs once, before the code is compiled. */
function mask(bytes: Uint8Array, masks: Uint32Array): Uint8Array {
  const result = new Uint8Array(bytes);
  const words = new Uint32Array(result.buffer);
  const count = words.length;
  for (let at = 0; at < count; at++) words[at] = (words[at] as number) ^ (masks[at] as number);
  return result;
}
