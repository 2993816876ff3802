/**
 * AFsplit (LUKS1 On-Disk Format Specification, 2.4), with stripes that are the same each time: what a keyslot's area holds before it
 * is encrypted.
 */
export function splitKey(key: Uint8Array, stripes: number, hash: string): Uint8Array {
  const split = new Uint8Array(key.length * stripes);
  let last = new Uint8Array(key.length);
  for (let stripe = 0; stripe < stripes - 1; stripe++) {
    const random = key.map((_, at) => (stripe * 31 + at * 17) % 251);
    split.set(random, stripe * key.length);
    last = diffuse(xor(last, random), hash);
  }
  split.set(xor(last, key), (stripes - 1) * key.length);
  return split;
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(one, (byte, at) => byte ^ (other[at] ?? 0));
}

function diffuse(block: Uint8Array, hash: string): Uint8Array<ArrayBuffer> {
  const result: number[] = [];
  for (let piece = 0; result.length < block.length; piece++) {
    const digestBytes = new Bun.CryptoHasher(hash as "sha256").byteLength;
    const part = block.subarray(piece * digestBytes, (piece + 1) * digestBytes);
    const number = [piece >>> 24, piece >>> 16, piece >>> 8, piece];
    result.push(
      ...new Bun.CryptoHasher(hash as "sha256")
        .update(Uint8Array.from([...number, ...part]))
        .digest()
        .subarray(0, part.length),
    );
  }
  return new Uint8Array(result);
}
