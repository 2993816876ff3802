import type { Area } from "../../area.ts";
import { holds, le16, le32 } from "../../bytes.ts";
import { at } from "../../layout.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addVersion, type Tags } from "../../tags.ts";
import { addUdfTags, type UdfVolume } from "./udf-descriptors.ts";

// ECMA-167 with the names of OSTA's UDF 2.60.
const RECOGNITION = 32 * 1024;
const RECOGNITION_COUNT = 64;
const DESCRIPTOR_BYTES = 440;
const [ANCHOR, TERMINATOR, INTEGRITY] = [2, 8, 9];
const ANCHOR_BLOCKS = [256, 512];
/** Most descriptors of a volume that are read; a real one has about ten. */
const MAX_DESCRIPTORS = 256;
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

interface Anchor {
  readonly blockSize: number;
  /** Bytes and first block of the volume's descriptors. */
  readonly length: number;
  readonly location: number;
}

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
    const block = (location + i) >>> 0;
    const descriptor = area.bytes(block * blockSize, DESCRIPTOR_BYTES);
    if (descriptor === null) return null;
    const kind = le16(descriptor, 0);
    if (kind === 0 || kind === TERMINATOR || le32(descriptor, 12) !== block) break;
    descriptors.push(descriptor);
  }
  return descriptors;
}

/** Returns the highest of the volume's revision and those that its integrity descriptor requires of readers and writers; null on a short device. */
function findRevision(area: Area, { revision, integrity }: UdfVolume, blockSize: number): number | null {
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
  const revision = descriptors && findRevision(area, addUdfTags(descriptors, tags), anchor.blockSize);
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
