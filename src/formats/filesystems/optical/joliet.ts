const UNDERSCORE = 0x5f;

const upper = (byte: number) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
const isUpper = (byte: number) => byte >= 0x41 && byte <= 0x5a;
const isHighSurrogate = (byte: number) => byte >= 0xd8 && byte <= 0xdb;
const isLowSurrogate = (byte: number) => byte >= 0xdc && byte <= 0xdf;

/** Returns the UTF-16BE unit that both encode, null if they differ: either has `_` for a character that it cannot encode. */
function mergeUnit(high: number, low: number, ascii: number): readonly [high: number, low: number] | null {
  if (ascii === UNDERSCORE) return [high, low];
  if (high === 0 && low === UNDERSCORE) return [0, ascii];
  if (high === 0 && upper(ascii) === upper(low)) return [0, isUpper(ascii) ? low : ascii];
  return null;
}

/**
 * Merges an identifier that an ISO image has twice, in the same number of bytes: in UTF-16BE (Joliet), with half as many
 * characters, and in ASCII, which loses all but A–Z. Returns what libblkid makes of them, in UTF-16BE; null if they differ.
 */
export function mergeIdentifiers(unicode: Uint8Array, ascii: Uint8Array): Uint8Array | null {
  const merged: number[] = [];
  let at = 0;
  let unit = 0;
  for (; unit + 1 < unicode.length && at < ascii.length; at++, unit += 2) {
    if (isHighSurrogate(unicode[unit] ?? 0) && unit + 3 < unicode.length && isLowSurrogate(unicode[unit + 2] ?? 0)) {
      merged.push(unicode[unit] ?? 0, unicode[unit + 1] ?? 0);
      unit += 2;
    }
    const pair = mergeUnit(unicode[unit] ?? 0, unicode[unit + 1] ?? 0, ascii[at] ?? 0);
    if (pair === null) return null;
    merged.push(...pair);
  }
  for (const byte of ascii.subarray(at)) merged.push(0, byte);
  return Uint8Array.from(merged);
}
