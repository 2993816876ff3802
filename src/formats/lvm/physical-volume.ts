import { decodeLatin1, holds, le32, le64 } from "../bytes.ts";
import { rawCrc32 } from "../checksums.ts";
import type { ByteSource } from "../facts.ts";
import { parseVolumeGroup, type VolumeGroup } from "./volume-group.ts";

/** What a physical volume says of itself and of its group. */
export interface PhysicalVolume {
  /** As blkid and pvs print it. */
  readonly uuid: string;
  /** The newest group that one of its metadata areas describes; null if it has no such area (another volume of the group has), or none that can be read. */
  readonly group: VolumeGroup | null;
  /** Which metadata areas were ignored, and why: "metadata area at 4096: wrong checksum". */
  readonly flaws: readonly string[];
}

// lib/format_text/layout.h and lib/label/label.h of lvm2.
const SECTOR = 512;
const LABEL_SECTORS = 4;
const INITIAL_CRC = 0xf597a6cf;
const MDA_MAGIC = " LVM2 x[5A%r0N*>";
const LOCATION_BYTES = 24;
const LOCATION_IGNORED = 1;
/** lvmpvscan of the largest groups that are in use stays below; the text lies in memory while it is parsed. */
const MOST_TEXT_BYTES = 8 << 20;
/** pvcreate makes at most two, at the start and at the end of the device; a crafted label must not have the same text parsed many times. */
const MOST_AREAS = 2;

/** Reads a physical volume; null if there is no label. */
export function readPhysicalVolume(source: ByteSource): PhysicalVolume | null {
  const sectors = source.read(0, LABEL_SECTORS * SECTOR);
  const label = Array.from({ length: LABEL_SECTORS }, (_, sector) => findLabel(sectors, sector)).find(
    (found) => found !== null,
  );
  if (label === undefined) return null;
  const header = label.subarray(le32(label, 20));
  const flaws: string[] = [];
  const groups = listMetadataAreas(header).flatMap((area) => {
    const group = readArea(source, area);
    if (typeof group !== "string") return group ?? [];
    flaws.push(`metadata area at ${area.offset}: ${group}`);
    return [];
  });
  const newest = groups.reduce<VolumeGroup | null>(
    (best, group) => (best === null || group.seqno > best.seqno ? group : best),
    null,
  );
  return { uuid: dashedId(decodeLatin1(header.subarray(0, 32))), group: newest, flaws };
}

/** Returns LVM's 32 characters in the form of its texts: 6, five times 4, 6. */
export function dashedId(id: string): string {
  return [0, 6, 10, 14, 18, 22, 26, 32].flatMap((at, index, all) => id.slice(at, all[index + 1]) || []).join("-");
}

function findLabel(sectors: Uint8Array, sector: number): Uint8Array | null {
  const bytes = sectors.subarray(sector * SECTOR, (sector + 1) * SECTOR);
  const isLabel =
    bytes.length === SECTOR &&
    holds(bytes, 0, "LABELONE") &&
    holds(bytes, 24, "LVM2 001") &&
    le64(bytes, 8) === BigInt(sector) &&
    rawCrc32(bytes.subarray(20), INITIAL_CRC) === le32(bytes, 16);
  return isLabel && le32(bytes, 20) + 40 <= SECTOR ? bytes : null;
}

/** Bytes. */
interface MetadataArea {
  readonly offset: number;
  readonly size: number;
}

/** struct pv_header: the uuid, the size of the device, then the data areas and the metadata areas; a zero ends each list. */
function listMetadataAreas(header: Uint8Array): readonly MetadataArea[] {
  const areas: MetadataArea[] = [];
  let lists = 0;
  for (let at = 40; at + 16 <= header.length && lists < 2 && areas.length < MOST_AREAS; at += 16) {
    const offset = le64(header, at);
    if (offset === 0n) lists++;
    else if (lists === 1) areas.push({ offset: Number(offset), size: Number(le64(header, at + 8)) });
  }
  return areas;
}

/** Returns the group that an area describes, null if it describes none, or why it cannot be read. */
function readArea(source: ByteSource, { offset, size }: MetadataArea): VolumeGroup | null | string {
  const isInside = Number.isSafeInteger(offset + size) && offset + size <= source.size && size > SECTOR;
  if (!isInside) return "not on the device";
  const header = source.read(offset, SECTOR);
  if (header.length < SECTOR || !holds(header, 4, MDA_MAGIC)) return "not a metadata area";
  if (rawCrc32(header.subarray(4), INITIAL_CRC) !== le32(header, 0)) return "wrong checksum of its header";
  if (le32(header, 20) !== 1 || le64(header, 24) !== BigInt(offset)) return "unknown version or place";
  const location = header.subarray(40, 40 + LOCATION_BYTES);
  const isUnused = le64(location, 0) === 0n || (le32(location, 20) & LOCATION_IGNORED) !== 0;
  return isUnused ? null : readText(source, { offset, size }, location);
}

/** The text lies in a ring behind the header: it may continue at its start. */
function readText(source: ByteSource, { offset, size }: MetadataArea, location: Uint8Array): VolumeGroup | string {
  const [start, length] = [Number(le64(location, 0)), Number(le64(location, 8))];
  const isInside = start >= SECTOR && start < size && length > 0 && length <= size - SECTOR;
  if (!isInside) return "its text lies outside";
  if (length > MOST_TEXT_BYTES) return `its text has more than ${MOST_TEXT_BYTES} bytes`;
  const head = source.read(offset + start, Math.min(length, size - start));
  const tail = length > size - start ? source.read(offset + SECTOR, length - (size - start)) : new Uint8Array();
  const bytes = tail.length === 0 ? head : Buffer.concat([head, tail]);
  if (bytes.length < length) return "its text is cut off";
  const checksum = le32(location, 16);
  if (rawCrc32(bytes, INITIAL_CRC) !== checksum) return "wrong checksum of its text";
  return parseKnown(bytes, checksum) ?? "malformed text";
}

/** All volumes of a group have the same text, and a group of many volumes has a long one: the last one is remembered. */
let last: { readonly bytes: Uint8Array; readonly checksum: number; readonly group: VolumeGroup | null } | null = null;

function parseKnown(bytes: Uint8Array, checksum: number): VolumeGroup | null {
  const isSame = last !== null && last.checksum === checksum && Buffer.compare(last.bytes, bytes) === 0;
  if (last === null || !isSame) last = { bytes, checksum, group: parseVolumeGroup(decodeLatin1(bytes)) };
  return last.group;
}
