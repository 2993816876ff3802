import { be32, decodeLatin1, holds } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** The checksum that implantisomd5 has written into the application use field of an ISO. */
export interface IsoChecksum {
  /** Hexadecimal digits, in lower case. */
  readonly md5: string;
  /** How many bytes from the beginning it covers. */
  readonly bytes: number;
  /** Where the field is: its bytes count as spaces. */
  readonly fieldAt: number;
  /** Digits of the MD5 of everything up to the end of each fragment; empty if the ISO has none. */
  readonly fragments: readonly string[];
}

const SECTOR_BYTES = 2048;
/** The volume descriptors (ECMA-119, 8.1). */
const FIRST_DESCRIPTOR = 16;
const MOST_DESCRIPTORS = 64;
/** Of the primary volume descriptor (ECMA-119, 8.4): the volume space size in big-endian form, and the application use field. */
const SIZE_AT = 84;
const FIELD_AT = 883;
/** The size of that field. */
export const FIELD_BYTES = 512;
/** isomd5sum's utilities.h: the fragment sums have 60 digits together. */
const FRAGMENT_DIGITS = 60;

/** Returns the checksum of an ISO; null if it has none (libcheckisomd5.c of isomd5sum 1.2.3). */
export function readIsoChecksum(source: ByteSource): IsoChecksum | null {
  const at = findPrimary(source);
  if (at === null) return null;
  const descriptor = source.read(at, SECTOR_BYTES);
  const field = decodeLatin1(descriptor.subarray(FIELD_AT, FIELD_AT + FIELD_BYTES));
  const md5 = /(?:^|;)ISO MD5SUM = ([0-9a-f]{32})(?:;|$)/i.exec(field)?.[1];
  const skip = Number(/;SKIPSECTORS = (\d{1,6})(?:;|$)/.exec(field)?.[1] ?? Number.NaN);
  const bytes = (be32(descriptor, SIZE_AT) - skip) * SECTOR_BYTES;
  if (md5 === undefined || !(bytes > 0)) return null;
  return { md5: md5.toLowerCase(), bytes, fieldAt: at + FIELD_AT, fragments: readFragments(field) };
}

function findPrimary(source: ByteSource): number | null {
  for (let index = 0; index < MOST_DESCRIPTORS; index++) {
    const at = (FIRST_DESCRIPTOR + index) * SECTOR_BYTES;
    const head = source.read(at, 8);
    if (!holds(head, 1, "CD001") || head[0] === 255) return null;
    if (head[0] === 1) return at;
  }
  return null;
}

function readFragments(field: string): readonly string[] {
  const sums = /;FRAGMENT SUMS = ([0-9a-f]{1,60})(?:;|$)/i.exec(field)?.[1]?.toLowerCase() ?? "";
  const count = Number(/;FRAGMENT COUNT = (\d{1,2})(?:;|$)/.exec(field)?.[1] ?? 0);
  if (count === 0 || sums.length !== FRAGMENT_DIGITS || FRAGMENT_DIGITS % count !== 0) return [];
  const digits = FRAGMENT_DIGITS / count;
  return Array.from({ length: count }, (_, index) => sums.slice(index * digits, (index + 1) * digits));
}
