import { ArchiveError } from "./fault.ts";

/** The size of a header, and what the data behind it are padded to. */
export const BLOCK_BYTES = 512;

/** A header of ustar (POSIX.1-1988), or GNU tar's, of which a few fields are elsewhere. Names have one character for each byte. */
export interface TarHeader {
  readonly type: string;
  readonly name: string;
  readonly target: string;
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  readonly size: number;
  readonly modifiedSeconds: number;
  readonly represents: string;
}

const CHECKSUM = { at: 148, length: 8 };
/** "ustar" and NUL; GNU tar has "ustar" and two spaces, and no prefix of the name. */
const USTAR = "ustar\0";

/** Returns true for a block of zeros: two of them end an archive. */
export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Parses a header, which begins at byte `offset` of the archive. Throws ArchiveError. */
export function parseHeader(block: Uint8Array, offset: number): TarHeader {
  if (!hasChecksum(block)) throw new ArchiveError("header", "", String(offset));
  const text = (at: number, length: number) => readText(block.subarray(at, at + length));
  const prefix = text(345, 155);
  const plain = text(0, 100);
  const isUstar = Buffer.from(block.subarray(257, 263)).toString("latin1") === USTAR;
  const name = isUstar && prefix !== "" ? `${prefix}/${plain}` : plain;
  const number = (at: number, length: number, what: string) => {
    const value = readNumber(block.subarray(at, at + length));
    if (value === null) throw new ArchiveError("malformed", name, what);
    return value;
  };
  return {
    name,
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
    target: text(157, 100),
    mode: number(100, 8, "the mode") & 0o7777,
    userId: number(108, 8, "the owner"),
    groupId: number(116, 8, "the group"),
    size: number(124, 12, "the size"),
    modifiedSeconds: number(136, 12, "the time"),
    represents: `${readNumber(block.subarray(329, 337)) ?? 0}:${readNumber(block.subarray(337, 345)) ?? 0}`,
  };
}

/** The sum of all bytes, its own field as spaces; old programs added signed bytes. */
function hasChecksum(block: Uint8Array): boolean {
  const { at, length } = CHECKSUM;
  const expected = readNumber(block.subarray(at, at + length));
  let [unsigned, signed] = [0, 0];
  for (let index = 0; index < BLOCK_BYTES; index += 1) {
    const counted = index >= at && index < at + length ? 0x20 : (block[index] ?? 0);
    unsigned += counted;
    signed += counted > 127 ? counted - 256 : counted;
  }
  return expected === unsigned || expected === signed;
}

/** Returns the text before the first NUL, with one character for each byte. */
function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("latin1");
}

/** Reads an octal number, or one of base 256 as GNU tar writes what is too large; null for anything else. An empty field is 0. */
export function readNumber(field: Uint8Array): number | null {
  const [first = 0] = field;
  if (first < 0x80) {
    const digits = /^ *([0-7]*)[ \0]*$/.exec(readText(field))?.[1];
    return digits === undefined ? null : Number.parseInt(digits || "0", 8);
  }
  const isNegative = first === 0xff;
  if (!isNegative && first !== 0x80) return null;
  let value = isNegative ? -1n : 0n;
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : null;
}
