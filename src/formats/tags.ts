import { formatUuid, isEmpty } from "./bytes.ts";

/** A NAME=value pair of libblkid; the value is bytes, because a label may contain anything but NUL. */
export interface Tag {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Tags in libblkid's order, to which the readers add theirs. */
export type Tags = Tag[];

const encoder = new TextEncoder();
/** True for white space of the C locale. */
export const isSpace = (byte: number | undefined) =>
  byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);

/** Returns the bytes up to the first NUL. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Removes trailing white space. */
export function trimEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(0, end);
}

function trimStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (isSpace(bytes[start])) start++;
  return bytes.subarray(start);
}

/** Adds a tag with its value unchanged, bytes up to the first NUL. */
export function addTag(tags: Tags, name: string, value: string | Uint8Array): void {
  tags.push({ name, value: typeof value === "string" ? encoder.encode(value) : Uint8Array.from(untilNul(value)) });
}

/** Adds LABEL (or `name`): up to a NUL, without trailing white space; none if it is empty. */
export function addLabel(tags: Tags, bytes: Uint8Array, name = "LABEL"): void {
  const label = trimEnd(untilNul(bytes));
  if (label.length > 0) addTag(tags, name, label);
}

/** Adds a tag without white space at either end, as libblkid does for all texts but the label. */
export function addTrimmed(tags: Tags, name: string, bytes: Uint8Array): void {
  addLabel(tags, trimStart(untilNul(bytes)), name);
}

/** Adds UUID (or `name`) of 16 bytes; none if they are all zeros. */
export function addUuid(tags: Tags, bytes: Uint8Array, name = "UUID"): void {
  if (!isEmpty(bytes)) addTag(tags, name, formatUuid(bytes));
}

/** Adds VERSION. */
export function addVersion(tags: Tags, version: string): void {
  addTag(tags, "VERSION", version);
}

/** Adds BLOCK_SIZE, the smallest unit that the filesystem reads, in bytes. */
export function addBlockSize(tags: Tags, bytes: number): void {
  addTag(tags, "BLOCK_SIZE", String(bytes));
}

/** Adds a UUID that is stored as text; nothing where it is empty. Returns false then. */
export function addUuidText(tags: Tags, bytes: Uint8Array): boolean {
  const text = trimEnd(untilNul(bytes));
  if (text.length > 0) addTag(tags, "UUID", text);
  return bytes[0] !== 0;
}

/** Adds the serial number of a DOS filesystem, 4 bytes, as UUID: "1A2B-3C4D"; none if it is all zeros. */
export function addSerial(tags: Tags, serial: Uint8Array): void {
  if (!isEmpty(serial)) {
    const digits = Uint8Array.from(serial).reverse().toHex().toUpperCase();
    addTag(tags, "UUID", `${digits.slice(0, 4)}-${digits.slice(4)}`);
  }
}
