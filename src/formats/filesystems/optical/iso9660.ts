import type { Area } from "../../area.ts";
import { holds, isEmpty, latin1, le16, le32 } from "../../bytes.ts";
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
const RECORD_BYTES = 34;
const END = 255;
const JOLIET_ESCAPES = ["%/@", "%/C", "%/E"];

const DESCRIPTOR_BYTES = 882;

/** The two forms of a descriptor: bytes before it, and where the record of the root directory, the first text and the dates are. */
const ISO = { before: 0, hasJoliet: true, root: 156, texts: 190, created: 813, modified: 830, dateBytes: 17 } as const;
/** High Sierra, the format before ISO 9660, has more copies of the path table and shorter dates. */
const HIGH_SIERRA = {
  ...{ before: 8, hasJoliet: false, root: 172, texts: 206 },
  ...{ created: 782, modified: 798, dateBytes: 16 },
} as const;
type Form = typeof ISO | typeof HIGH_SIERRA;

type Descriptors = ReturnType<typeof readDescriptors>;

/** The first entry of the root directory must be the directory itself: other filesystems may contain an ISO file at this place. */
function hasRoot(area: Area, primary: Uint8Array, { root }: Form): boolean {
  const [sector, length] = [le32(primary, root + 2), le32(primary, root + 10)];
  const directory =
    length < RECORD_BYTES ? null : area.bytes(sector * le16(primary, 128), Math.min(length, SECTOR_BYTES));
  if (directory === null) return false;
  return (
    (directory[0] ?? 0) >= RECORD_BYTES && directory[32] === 1 && directory[33] === 0 && le32(directory, 2) === sector
  );
}

/** Returns the first descriptor of each kind; of the supplementary ones, which may be of other encodings, Joliet's. */
function readDescriptors(area: Area, { before, hasJoliet }: Form) {
  const found: Record<"boot" | "primary" | "joliet", Uint8Array | null> = { boot: null, primary: null, joliet: null };
  const isComplete = () => found.boot && found.primary && (found.joliet || !hasJoliet);
  for (let i = 0; i < MAX_DESCRIPTORS && !isComplete(); i++) {
    const descriptor = area.bytes(FIRST_DESCRIPTOR + i * SECTOR_BYTES + before, DESCRIPTOR_BYTES);
    if (descriptor === null || descriptor[0] === END) break;
    const kind = KINDS[descriptor[0] ?? END];
    const isJoliet = hasJoliet && JOLIET_ESCAPES.some((text) => holds(descriptor, 88, text));
    const isOther = kind === "joliet" && !isJoliet;
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
  const isUnset = digits.every((byte) => byte === 0x30) && (date[16] ?? 0) === 0;
  if (isUnset) return null;
  const text = String.fromCharCode(...digits);
  return [text.slice(0, 4), ...(text.slice(4).match(/../gs) ?? [])].join("-");
}

function addDate(tags: Tags, primary: Uint8Array, form: Form): void {
  const dateAt = (at: number) => primary.subarray(at, at + form.dateBytes);
  const modified = dateAt(form.modified);
  const date = formatDate(modified) === null ? dateAt(form.created) : modified;
  const text = formatDate(date);
  if (text !== null && !isEmpty(date.subarray(0, 16))) addTag(tags, "UUID", latin1(text));
}

/** ISO 9660 with Joliet, and High Sierra. Tolerant, because hybrid images have a second filesystem or a partition table. */
export const iso9660: Signature = {
  type: "iso9660",
  usage: "filesystem",
  isTolerant: true,
  magics: [...magicAt(FIRST_DESCRIPTOR + 1, "CD001"), ...magicAt(FIRST_DESCRIPTOR + 9, "CDROM")],
  read(area, tags, magic) {
    const form = magic?.text === "CDROM" ? HIGH_SIERRA : ISO;
    const found = readDescriptors(area, form);
    const blockBytes = found.primary === null ? 0 : le16(found.primary, 128);
    if (found.primary === null || blockBytes === 0 || !hasRoot(area, found.primary, form)) return false;
    addBlockSize(tags, blockBytes);
    addIdentifier(tags, "SYSTEM_ID", found, 8, 32);
    addIdentifier(tags, "VOLUME_SET_ID", found, form.texts, 128);
    addText(tags, "PUBLISHER_ID", found, form.texts + 128);
    addText(tags, "DATA_PREPARER_ID", found, form.texts + 256);
    addText(tags, "APPLICATION_ID", found, form.texts + 384);
    addDate(tags, found.primary, form);
    if (found.boot !== null) addTrimmed(tags, "BOOT_SYSTEM_ID", found.boot.subarray(7, 39));
    if (found.joliet !== null) addVersion(tags, "Joliet Extension");
    else if (form === HIGH_SIERRA) addVersion(tags, "High Sierra");
    addLabel(tags, mergeField(found, 40, 32) ?? found.primary.subarray(40, 72));
    return true;
  },
};
