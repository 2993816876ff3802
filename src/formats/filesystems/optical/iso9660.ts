import type { Area } from "../../area.ts";
import { holds, isEmpty, latin1 } from "../../bytes.ts";
import { at as magicAt } from "../../layout.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addTag, addTrimmed, addVersion, isSpace, type Tags } from "../../tags.ts";
import { toUtf8 } from "../../text.ts";

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

// ECMA-119: volume descriptors of 2 KiB from the 16th sector on.
const SECTOR_BYTES = 2048;
const FIRST_DESCRIPTOR = 16 * SECTOR_BYTES;
const MAX_DESCRIPTORS = 16;
const KINDS: Readonly<Record<number, "boot" | "primary" | "joliet">> = { 0: "boot", 1: "primary", 2: "joliet" };
const END = 255;
const JOLIET_ESCAPES = ["%/@", "%/C", "%/E"];

type Descriptors = ReturnType<typeof readDescriptors>;

/** Returns the first descriptor of each kind; of the supplementary ones, which may be of other encodings, Joliet's. */
function readDescriptors(area: Area) {
  const found: Record<"boot" | "primary" | "joliet", Uint8Array | null> = { boot: null, primary: null, joliet: null };
  for (let i = 0; i < MAX_DESCRIPTORS && Object.values(found).includes(null); i++) {
    const descriptor = area.bytes(FIRST_DESCRIPTOR + i * SECTOR_BYTES, 847);
    if (descriptor === null || descriptor[0] === END) break;
    const kind = KINDS[descriptor[0] ?? END];
    const isOther = kind === "joliet" && !JOLIET_ESCAPES.some((text) => holds(descriptor, 88, text));
    if (kind !== undefined && !isOther) found[kind] ??= descriptor;
  }
  return found;
}

/** A field that begins with `_` is a file name, not text. */
function isNotText(field: Uint8Array): boolean {
  return field[0] === 0 || field[0] === 0x5f || field.every(isSpace);
}

function isNotUnicodeText(field: Uint8Array): boolean {
  const isFileName = field[0] === 0 && field[1] === 0x5f;
  return isFileName || field.every((byte, i) => (i % 2 === 0 ? byte === 0 : isSpace(byte)));
}

/** Returns the field at `at`, merged from both descriptors, in UTF-8; null if only the ASCII one counts. */
function mergeField({ primary, joliet }: Descriptors, at: number, length: number, isAsciiEmpty = false) {
  if (primary === null || joliet === null) return null;
  const unicode = joliet.subarray(at, at + length);
  const merged = isAsciiEmpty ? null : mergeIdentifiers(unicode, primary.subarray(at, at + length));
  return toUtf8(merged ?? unicode, "utf-16be");
}

function addIdentifier(tags: Tags, name: string, found: Descriptors, at: number, length: number): void {
  const ascii = found.primary?.subarray(at, at + length) ?? new Uint8Array();
  addTrimmed(tags, name, mergeField(found, at, length) ?? ascii);
}

function addText(tags: Tags, name: string, found: Descriptors, at: number): void {
  const ascii = found.primary?.subarray(at, at + 128) ?? new Uint8Array();
  const isAsciiEmpty = isNotText(ascii);
  const isUnicodeEmpty = found.joliet === null || isNotUnicodeText(found.joliet.subarray(at, at + 128));
  if (!isUnicodeEmpty) {
    addTrimmed(tags, name, mergeField(found, at, 128, isAsciiEmpty) ?? ascii);
  } else if (!isAsciiEmpty) {
    addTrimmed(tags, name, ascii);
  }
}

/** Formats a date of 16 digits and a time zone as UUID: "YYYY-MM-DD-hh-mm-ss-cc"; null if it is not set. */
function formatDate(date: Uint8Array): string | null {
  const digits = date.subarray(0, 16);
  const isUnset = digits.every((byte) => byte === 0x30) && date[16] === 0;
  if (isUnset) return null;
  const text = String.fromCharCode(...digits);
  return [text.slice(0, 4), ...(text.slice(4).match(/../gs) ?? [])].join("-");
}

function addDate(tags: Tags, primary: Uint8Array): void {
  const modified = primary.subarray(830, 847);
  const date = formatDate(modified) === null ? primary.subarray(813, 830) : modified;
  const text = formatDate(date);
  if (text !== null && !isEmpty(date.subarray(0, 16))) addTag(tags, "UUID", latin1(text));
}

/** High Sierra, the format before ISO 9660. */
function readHighSierra(area: Area, tags: Tags): boolean {
  const descriptor = area.bytes(FIRST_DESCRIPTOR, 80);
  if (descriptor === null) return false;
  addBlockSize(tags, SECTOR_BYTES);
  addVersion(tags, "High Sierra");
  addLabel(tags, descriptor.subarray(48, 80));
  return true;
}

/** ISO 9660 with Joliet. Tolerant, because hybrid images have a second filesystem or a partition table. */
export const iso9660: Signature = {
  type: "iso9660",
  usage: "filesystem",
  isTolerant: true,
  magics: [...magicAt(FIRST_DESCRIPTOR + 1, "CD001"), ...magicAt(FIRST_DESCRIPTOR + 9, "CDROM")],
  read(area, tags, magic) {
    if (magic?.text === "CDROM") return readHighSierra(area, tags);
    const found = readDescriptors(area);
    if (found.primary === null) return false;
    addBlockSize(tags, SECTOR_BYTES);
    addIdentifier(tags, "SYSTEM_ID", found, 8, 32);
    addIdentifier(tags, "VOLUME_SET_ID", found, 190, 128);
    addText(tags, "PUBLISHER_ID", found, 318);
    addText(tags, "DATA_PREPARER_ID", found, 446);
    addText(tags, "APPLICATION_ID", found, 574);
    addDate(tags, found.primary);
    if (found.boot !== null) addTrimmed(tags, "BOOT_SYSTEM_ID", found.boot.subarray(7, 39));
    if (found.joliet !== null) addVersion(tags, "Joliet Extension");
    addLabel(tags, mergeField(found, 40, 32) ?? found.primary.subarray(40, 72));
    return true;
  },
};
