import { holds, le16, le32 } from "../../bytes.ts";
import { addLabel, addTag, addTrimmed, type Tags, untilNul } from "../../tags.ts";
import { type Encoding, toUtf8 } from "../../text.ts";

const [PRIMARY, IMPLEMENTATION, LOGICAL] = [1, 4, 6];
const CHARSET = "\0OSTA Compressed Unicode\0";

/** Fields of the descriptors that are not tags. */
export interface UdfVolume {
  /** As stored: 0x0201 is 2.01; 0 for unknown. */
  readonly revision: number;
  /** Bytes and first block of the integrity descriptor. */
  readonly integrity: { readonly length: number; readonly location: number } | null;
}

/** Reads a dstring of `length` bytes at `at`: encoding, text, and the length in the last byte. Returns UTF-8; null for an unknown encoding. */
function readText(bytes: Uint8Array, at: number, length: number): Uint8Array | null {
  const encodings: Readonly<Record<number, Encoding>> = { 8: "latin1", 16: "utf-16be" };
  const encoding = encodings[bytes[at] ?? 0];
  const used = Math.min(Math.max((bytes[at + length - 1] ?? 0) - 1, 0), length - 2);
  return encoding === undefined ? null : toUtf8(bytes.subarray(at + 1, at + 1 + used), encoding);
}

/** The first descriptor that has a value for a tag counts. */
function addOnce(tags: Tags, name: string, value: Uint8Array | null): void {
  if (value !== null && !tags.some((tag) => tag.name === name)) addTrimmed(tags, name, value);
}

/** Adds UUID: 16 hexadecimal digits of the volume set identifier, whose first 8 characters should be a time and the rest unique. */
function addVolumeSetUuid(tags: Tags, identifier: Uint8Array | null): void {
  // At most 16 bytes of UTF-8, in whole characters.
  const text = cutCharacters(identifier ?? new Uint8Array(), 16);
  if (text.length < 8 || tags.some((tag) => tag.name === "UUID")) return;
  const padded = new Uint8Array(16);
  padded.set(text);
  addTag(tags, "UUID", readSetDigits(padded));
}

/** Returns 16 digits: those of the identifier, and from its first other character on the bytes in hexadecimal. */
function readSetDigits(identifier: Uint8Array): string {
  const lower = String.fromCharCode(...identifier).toLowerCase();
  const firstOther = lower.search(/[^0-9a-f]/);
  if (firstOther >= 0 && firstOther < 8) return identifier.subarray(0, 8).toHex();
  return firstOther < 0 ? lower : lower.slice(0, 8) + identifier.subarray(8, 12).toHex();
}

function cutCharacters(utf8: Uint8Array, limit: number): Uint8Array {
  let end = Math.min(limit, utf8.length);
  while (end > 0 && end < utf8.length && ((utf8[end] ?? 0) & 0xc0) === 0x80) end--;
  return utf8.subarray(0, end);
}

/** Returns the text of an entity identifier without the `*` that marks a registered one. */
function readEntity(bytes: Uint8Array, at: number): Uint8Array {
  const text = untilNul(bytes.subarray(at, at + 23));
  return text[0] === 0x2a ? text.subarray(1) : text;
}

function addPrimary(descriptor: Uint8Array, tags: Tags): void {
  if (holds(descriptor, 200, CHARSET)) {
    const setIdentifier = readText(descriptor, 72, 128);
    addOnce(tags, "VOLUME_ID", readText(descriptor, 24, 32));
    addVolumeSetUuid(tags, setIdentifier);
    addOnce(tags, "VOLUME_SET_ID", setIdentifier);
  }
  const application = readEntity(descriptor, 345);
  addOnce(tags, "APPLICATION_ID", application.length > 0 ? application : readEntity(descriptor, 389));
}

function addLogical(descriptor: Uint8Array, tags: Tags): void {
  const text = holds(descriptor, 20, CHARSET) ? readText(descriptor, 84, 128) : null;
  if (text !== null && !tags.some((tag) => tag.name === "LABEL")) addLabel(tags, text);
  addOnce(tags, "LOGICAL_VOLUME_ID", text);
}

/** Adds the labels and identifiers of a volume's descriptors. */
export function addUdfTags(descriptors: readonly Uint8Array[], tags: Tags): UdfVolume {
  let revision = 0;
  let integrity: UdfVolume["integrity"] = null;
  for (const descriptor of descriptors) {
    const kind = le16(descriptor, 0);
    if (kind === PRIMARY) {
      addPrimary(descriptor, tags);
    } else if (kind === LOGICAL) {
      const found = { length: le32(descriptor, 432), location: le32(descriptor, 436) };
      const hasIntegrity = le32(descriptor, 268) !== 0 && found.length > 0 && found.location > 0;
      integrity ??= hasIntegrity ? found : null;
      revision ||= holds(descriptor, 217, "*OSTA UDF Compliant\0") ? le16(descriptor, 240) : 0;
      addLogical(descriptor, tags);
    } else if (kind === IMPLEMENTATION && holds(descriptor, 21, "*UDF LV Info\0") && holds(descriptor, 52, CHARSET)) {
      addOnce(tags, "PUBLISHER_ID", readText(descriptor, 244, 36));
    }
  }
  return { revision, integrity };
}
