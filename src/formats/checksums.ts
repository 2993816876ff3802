/** CRC-32 without the inversions at start and end: `seed` is the initial register, the result the final one. */
export function rawCrc32(bytes: Uint8Array, seed: number): number {
  return ~Bun.hash.crc32(bytes, ~seed >>> 0) >>> 0;
}

const CASTAGNOLI = 0x82f63b78;
const castagnoliTable = new Int32Array(256);

function castagnoliOf(byte: number): number {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CASTAGNOLI : 0);
  return crc;
}

/** CRC-32C (RFC 3720, B.4) without the inversions, as `rawCrc32`. */
export function rawCrc32c(bytes: Uint8Array, seed = 0xffffffff): number {
  if (castagnoliTable[1] === 0) for (let byte = 0; byte < 256; byte++) castagnoliTable[byte] = castagnoliOf(byte);
  let crc = seed;
  // biome-ignore lint/style/useForOf: an iterator costs several times as much where JavaScript is interpreted, as in a boot.
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc >>> 8) ^ (castagnoliTable[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return crc >>> 0;
}

/** CRC-32C (RFC 3720, B.4) with its inversions. */
export function crc32c(bytes: Uint8Array): number {
  return ~rawCrc32c(bytes) >>> 0;
}

// The polynomial of ECMA-182, in two halves: BigInt would take a hundred times as long.
const [ECMA_HIGH, ECMA_LOW] = [0x42f0e1eb, 0xa9ea3693];

/** CRC-64 with the polynomial of ECMA-182 and inversions (CRC-64/WE), the checksum of bcache. */
export function crc64(bytes: Uint8Array): bigint {
  let [high, low] = [-1, -1];
  for (const byte of bytes) {
    high ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) {
      const isOut = high < 0;
      high = (high << 1) | (low >>> 31);
      low <<= 1;
      if (isOut) {
        high ^= ECMA_HIGH;
        low ^= ECMA_LOW;
      }
    }
  }
  return (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0);
}

/** Returns `bytes` with `length` of them from `at` replaced by `fill`: a checksum counts its own field in that way. */
export function blanked(bytes: Uint8Array, at: number, length: number, fill = 0): Uint8Array {
  return bytes.slice().fill(fill, at, at + length);
}
