import { BootError } from "../../problems/errors.ts";
import { checkApart, isBackup, type Keyslot, SECTOR_BYTES, type Segment, splitBytes } from "./header.ts";
import { BINARY_BYTES } from "./luks2-copy.ts";
import type { Luks2Objects } from "./luks2-objects.ts";

const MAX_KEYSLOTS_BYTES = 128 * 1024 * 1024;
const KEYSLOTS_ALIGNMENT = 4096;
const SECTOR = BigInt(SECTOR_BYTES);

/**
 * Checks that the objects of a LUKS2 header fit each other, the binary header (of `headerBytes` with the JSON area) and the device.
 * Throws BootError for what libcryptsetup's LUKS2_hdr_validate refuses.
 */
export function checkObjects(objects: Luks2Objects, headerBytes: number, deviceBytes: number): void {
  checkReferences(objects);
  checkSegments(objects);
  checkSizes(objects, headerBytes);
  checkAreas(objects, headerBytes, deviceBytes);
  for (const slot of objects.keyslots) checkKeyslot(slot, objects);
}

function checkReferences({ keyslots, segments, digests, tokens }: Luks2Objects): void {
  const objects = { keyslot: keyslots, segment: segments };
  const check = (holder: string, kind: keyof typeof objects, wanted: readonly number[]) => {
    const missing = wanted.find((id) => !objects[kind].some((entry) => entry.id === id));
    if (missing !== undefined) throw new BootError(`${holder} refers to ${kind} ${missing}, which does not exist`);
  };
  for (const token of tokens) check(`token ${token.id}`, "keyslot", token.keyslots);
  for (const digest of digests) {
    check(`digest ${digest.id}`, "keyslot", digest.keyslots);
    check(`digest ${digest.id}`, "segment", digest.segments);
  }
}

function checkSegments({ segments, digests }: Luks2Objects): void {
  if (segments.length === 0) throw new BootError("it has no segments");
  for (const [index, segment] of segments.entries()) {
    if (segment.id !== index) throw new BootError(`segment ${index} is missing`);
    checkSectors(segment);
    if (segment.crypt !== null && !digests.some((digest) => digest.segments.includes(index))) {
      throw new BootError(`segment ${index} has no digest`);
    }
  }
  const firstBackup = segments.findIndex(({ flags }) => isBackup(flags));
  if (firstBackup === 0) throw new BootError("it has only backup segments");
  const regular = firstBackup < 0 ? segments : segments.slice(0, firstBackup);
  if (segments.slice(regular.length).some(({ flags }) => !isBackup(flags))) {
    throw new BootError("a segment follows a backup segment");
  }
  checkSegmentsApart(regular);
}

function checkSectors({ id, offset, size, crypt }: Segment): void {
  if (offset % SECTOR !== 0n) throw new BootError(`segment ${id} does not begin at a sector`);
  const unit = BigInt(crypt?.sectorBytes ?? SECTOR_BYTES);
  if (size !== null && (size === 0n || size % unit !== 0n)) {
    throw new BootError(`the size of segment ${id} is not a positive multiple of its sector size`);
  }
}

function checkSegmentsApart(segments: readonly Segment[]): void {
  if (segments.slice(0, -1).some(({ size }) => size === null))
    throw new BootError("a segment before the last has no end");
  const sorted = [...segments].sort((one, other) => (one.offset < other.offset ? -1 : 1));
  for (const [index, segment] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before && (before.size === null || before.offset + before.size > segment.offset)) {
      throw new BootError(`segments ${before.id} and ${segment.id} overlap`);
    }
  }
}

function checkSizes({ segments, jsonBytes, keyslotsBytes }: Luks2Objects, headerBytes: number): void {
  if (jsonBytes !== BigInt(headerBytes - BINARY_BYTES)) throw new BootError("its two sizes of the JSON area differ");
  if (keyslotsBytes > MAX_KEYSLOTS_BYTES || keyslotsBytes % KEYSLOTS_ALIGNMENT !== 0) {
    throw new BootError(`its keyslots area of ${keyslotsBytes} bytes is too large or not a multiple of 4096`);
  }
  const end = BigInt(2 * headerBytes + keyslotsBytes);
  for (const { id, offset, flags } of segments) {
    // With a detached header the data begin at 0.
    if (offset !== 0n && offset < end && !isBackup(flags))
      throw new BootError(`segment ${id} begins inside the header`);
  }
}

function checkAreas({ keyslots, keyslotsBytes }: Luks2Objects, headerBytes: number, deviceBytes: number): void {
  const [start, end] = [2 * headerBytes, 2 * headerBytes + keyslotsBytes];
  if (end > deviceBytes) throw new BootError("its keyslots area is beyond the end of the device");
  for (const { id, area } of keyslots) {
    const inside = area.offset >= start && area.size > 0 && area.offset + area.size <= end;
    if (!inside) throw new BootError(`the area of keyslot ${id} is not inside the keyslots area`);
  }
  checkApart(keyslots.map(({ id, area }) => ({ name: `keyslot ${id}`, ...area })));
}

function checkKeyslot({ id, keyBytes, area, lock }: Keyslot, { digests }: Luks2Objects): void {
  if (lock === null) return;
  const count = digests.filter(({ keyslots }) => keyslots.includes(id)).length;
  if (count !== 1) throw new BootError(`keyslot ${id} has ${count === 0 ? "no digest" : "several digests"}`);
  if (area.offset % SECTOR_BYTES !== 0) throw new BootError(`the area of keyslot ${id} does not begin at a sector`);
  if (area.size < splitBytes(keyBytes)) throw new BootError(`the area of keyslot ${id} is too small for its key`);
}
