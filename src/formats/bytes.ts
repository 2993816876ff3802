/** The little-endian 16-bit number at `at`; missing bytes count as 0, as in all readers here. */
export function le16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/** The big-endian 16-bit number at `at`. */
export function be16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The little-endian 32-bit number at `at`, unsigned. */
export function le32(bytes: Uint8Array, at: number): number {
  return (le16(bytes, at) | (le16(bytes, at + 2) << 16)) >>> 0;
}

/** The big-endian 32-bit number at `at`, unsigned. */
export function be32(bytes: Uint8Array, at: number): number {
  return ((be16(bytes, at) << 16) | be16(bytes, at + 2)) >>> 0;
}

/** The little-endian 64-bit number at `at`, unsigned and exact. */
export function le64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(le32(bytes, at + 4)) << 32n) | BigInt(le32(bytes, at));
}

/** The big-endian 64-bit number at `at`, unsigned and exact. */
export function be64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(be32(bytes, at)) << 32n) | BigInt(be32(bytes, at + 4));
}

/** True if `bytes` contain `text` at `at`, one byte a character (Latin-1). */
export function holds(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** True if every byte is zero. */
export function isEmpty(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** True for a text in the form of RFC 9562. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** 16 bytes in the form of RFC 9562, in the order of the disk: "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx". */
export function formatUuid(bytes: Uint8Array): string {
  const digits = bytes.toHex();
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20, 32)}`;
}

const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
const VMFS_ORDER = [3, 2, 1, 0, 7, 6, 5, 4, 9, 8, 10, 11, 12, 13, 14, 15];
const inOrder = (bytes: Uint8Array, order: readonly number[]) => Uint8Array.from(order, (at) => bytes[at] ?? 0);

/** A GUID as EFI stores it (UEFI 2.10, appendix A): the first three fields are little-endian. */
export function formatGuid(bytes: Uint8Array): string {
  return formatUuid(inOrder(bytes, GUID_ORDER));
}

/** VMware's form of a UUID: two little-endian words, a short one and six bytes. */
export function formatVmfsUuid(bytes: Uint8Array): string {
  return inOrder(bytes, VMFS_ORDER)
    .toHex()
    .replace(/^(.{8})(.{8})(.{4})/, "$1-$2-$3-");
}

/** The sum of the words of `bytes`, each of `wordBytes` bytes. */
export function sumWords(bytes: Uint8Array, wordBytes: number, read: typeof le32): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += wordBytes) sum += read(bytes, at);
  return sum;
}

/** The 16-bit words of `bytes`, joined by XOR; 0 in either byte order if one of them is a checksum of that kind. */
export function xorWords(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum ^= le16(bytes, at);
  return sum;
}

/** True if `value` is from `low` to `high`. */
export function isWithin(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** True for 1, 2, 4, 8, … */
export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

/** One character for each byte. */
export function decodeLatin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** One byte for each character of `text`. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Returns a UUID that is made of a name (version 5 of RFC 9562): the same at each boot. */
export function uuidOfName(name: string): string {
  const hash = Uint8Array.from(new Bun.CryptoHasher("sha1").update(name).digest().subarray(0, 16));
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(hash);
}
