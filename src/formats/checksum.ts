const CASTAGNOLI = 0x82f63b78;

/** CRC-32 (IEEE 802.3). */
export function crc32(bytes: Uint8Array): number {
  return Bun.hash.crc32(bytes);
}

/** CRC-32 without the inversions at start and end: `seed` is the initial register, the result the final one. */
export function rawCrc32(bytes: Uint8Array, seed: number): number {
  return ~Bun.hash.crc32(bytes, ~seed >>> 0) >>> 0;
}

/** CRC-32C (RFC 3720, B.4) with its inversions. Bit by bit: superblocks are small. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CASTAGNOLI : 0);
  }
  return ~crc >>> 0;
}
