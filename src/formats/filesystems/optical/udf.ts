import type { Area } from "../../area.ts";
import { holds, le16, le32 } from "../../bytes.ts";
import { at } from "../../layout.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addTag, addTrimmed, addVersion, type Tags, untilNul } from "../../tags.ts";
import { type Encoding, toUtf8 } from "../../text.ts";

const [PRIMARY, IMPLEMENTATION, LOGICAL] = [1, 4, 6];
const CHARSET = "\0OSTA Compressed Unicode\0";

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

/**
 * Adds the labels and identifiers of a volume's descriptors. Returns its revision as stored (0x0201 is 2.01, 0 unknown), the
 * bytes and first block of the integrity descriptor, and whether a logical volume is one of UDF: other filesystems of ECMA-167 exist.
 */
function addUdfTags(descriptors: readonly Uint8Array[], tags: Tags) {
  let revision = 0;
  let isUdf = false;
  let integrity: { readonly length: number; readonly location: number } | null = null;
  for (const descriptor of descriptors) {
    const kind = le16(descriptor, 0);
    if (kind === PRIMARY) {
      addPrimary(descriptor, tags);
    } else if (kind === LOGICAL) {
      const found = { length: le32(descriptor, 432), location: le32(descriptor, 436) };
      const hasIntegrity = le32(descriptor, 268) !== 0 && found.length > 0 && found.location > 0;
      integrity ??= hasIntegrity ? found : null;
      const isOne = holds(descriptor, 217, "*OSTA UDF Compliant\0");
      isUdf ||= isOne;
      revision ||= isOne ? le16(descriptor, 240) : 0;
      addLogical(descriptor, tags);
    } else if (kind === IMPLEMENTATION && holds(descriptor, 21, "*UDF LV Info\0") && holds(descriptor, 52, CHARSET)) {
      addOnce(tags, "PUBLISHER_ID", readText(descriptor, 244, 36));
    }
  }
  return { revision, integrity, isUdf };
}

// ECMA-167 with the names of OSTA's UDF 2.60.
const RECOGNITION = 32 * 1024;
const RECOGNITION_COUNT = 64;
const DESCRIPTOR_BYTES = 440;
const [ANCHOR, TERMINATOR, INTEGRITY] = [2, 8, 9];
const ANCHOR_BLOCKS = [256, 512];
/** Most descriptors of a volume that are read; a real one has about ten. */
const MAX_DESCRIPTORS = 64;
const OTHER_IDS = ["BEA01", "BOOT2", "CD001", "CDW02", "TEA01"];

/** Returns null if the device ends within the sequence. */
function hasRecognition(area: Area, step: number): boolean | null {
  for (let i = 0; i < RECOGNITION_COUNT; i++) {
    const head = area.bytes(RECOGNITION + i * step, 7);
    if (head === null) return null;
    if (holds(head, 1, "NSR02") || holds(head, 1, "NSR03")) return true;
    if (!OTHER_IDS.some((id) => holds(head, 1, id))) return false;
  }
  return false;
}

/** `length` bytes of the volume's descriptors, from the block `location` on. */
type Anchor = Readonly<Record<"blockSize" | "length" | "location", number>>;

/** Returns the anchor at block 256 or 512; "none" if the block size is another, null if the device is too short for it. */
function readAnchor(area: Area, blockSize: number): Anchor | "none" | null {
  for (const block of ANCHOR_BLOCKS) {
    const bytes = area.bytes(block * blockSize, DESCRIPTOR_BYTES);
    if (bytes === null) return null;
    if (le32(bytes, 12) === block && le16(bytes, 0) === ANCHOR) {
      return { blockSize, length: le32(bytes, 16), location: le32(bytes, 20) };
    }
  }
  return "none";
}

/** Tries block sizes, that of the device first. A device that ends within one try is not UDF, as in libblkid. */
function findAnchor(area: Area): Anchor | null {
  const others = [512, 1024, 2048, 4096].filter((size) => size !== area.sectorSize);
  for (const blockSize of [area.sectorSize, ...others]) {
    const isRecognised = hasRecognition(area, Math.max(blockSize, 2048));
    const anchor = isRecognised === true ? readAnchor(area, blockSize) : "none";
    if (isRecognised === null || anchor === null) return null;
    if (anchor !== "none") return anchor;
  }
  return null;
}

/** Reads the descriptors up to the terminator; null if the device ends before it. */
function readDescriptors(area: Area, { blockSize, length, location }: Anchor): readonly Uint8Array[] | null {
  const descriptors: Uint8Array[] = [];
  const count = Math.min(Math.floor(length / blockSize), MAX_DESCRIPTORS);
  for (let i = 0; i < count; i++) {
    const block = location + i;
    const descriptor = area.bytes(block * blockSize, DESCRIPTOR_BYTES);
    if (descriptor === null) return null;
    const kind = le16(descriptor, 0);
    if (kind === 0 || kind === TERMINATOR || le32(descriptor, 12) !== block) break;
    descriptors.push(descriptor);
  }
  return descriptors;
}

/** Returns the highest of the volume's revision and those that its integrity descriptor requires of readers and writers; null on a short device. */
function findRevision(
  area: Area,
  { revision, integrity }: ReturnType<typeof addUdfTags>,
  blockSize: number,
): number | null {
  if (integrity === null || integrity.length < DESCRIPTOR_BYTES) return revision;
  const at = integrity.location * blockSize;
  const bytes = area.bytes(at, DESCRIPTOR_BYTES);
  if (bytes === null) return null;
  const isIntegrity = le16(bytes, 0) === INTEGRITY && le32(bytes, 12) === integrity.location;
  if (!isIntegrity || le32(bytes, 76) < 46) return revision;
  // After the fixed part: two numbers for each partition, then the implementation use, with the revisions after 40 bytes.
  const use = area.bytes(at + 80 + 8 * le32(bytes, 72), 46);
  return use && Math.max(revision, le16(use, 40), le16(use, 42));
}

function readVolume(area: Area, anchor: Anchor, tags: Tags): boolean {
  const descriptors = readDescriptors(area, anchor);
  const volume = descriptors && addUdfTags(descriptors, tags);
  const revision = volume?.isUdf ? findRevision(area, volume, anchor.blockSize) : null;
  if (revision === null) return false;
  if (revision !== 0) {
    addVersion(tags, `${(revision >> 8).toString(16)}.${(revision & 0xff).toString(16).padStart(2, "0")}`);
  }
  addBlockSize(tags, anchor.blockSize);
  return true;
}

/** UDF. */
export const udf: Signature = {
  type: "udf",
  usage: "filesystem",
  isTolerant: true,
  magics: at(RECOGNITION + 1, "BEA01", "BOOT2", "CD001", "CDW02", "NSR02", "NSR03", "TEA01"),
  read(area, tags) {
    const anchor = findAnchor(area);
    return anchor !== null && readVolume(area, anchor, tags);
  },
};
