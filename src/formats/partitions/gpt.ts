import type { Area } from "../area.ts";
import { formatGuid, holds, isEmpty, le32, le64 } from "../bytes.ts";
import { blanked } from "../checksums.ts";
import { trimEnd } from "../tags.ts";
import { decodeText, toUtf8 } from "../text.ts";
import { readMbrEntries, readMbrSector } from "./mbr.ts";
import type { Partition, TableFormat } from "./model.ts";

// Spec: UEFI 2.10, chapter 5.3.
const HEADER_BYTES = 92;
const ENTRY_BYTES = 128;
const PROTECTIVE = 0xee;

type Header = NonNullable<ReturnType<typeof readHeader>>;

function isHeaderValid(sector: Uint8Array, lba: number, lastLba: number): boolean {
  const size = le32(sector, 12);
  if (!holds(sector, 0, "EFI PART") || size > sector.length || size < HEADER_BYTES) return false;
  const first = le64(sector, 40);
  const last = le64(sector, 48);
  const own = BigInt(lba);
  const isInRange = last >= first && last <= BigInt(lastLba);
  const isOutside = !(first < own && own < last);
  const sum = Bun.hash.crc32(blanked(sector.subarray(0, size), 16, 4));
  return sum === le32(sector, 16) && le64(sector, 24) === own && isInRange && isOutside;
}

/** The header at sector `lba` with its entries; null if it, its place or a checksum is wrong. */
function readHeader(area: Area, lba: number, lastLba: number) {
  const sector = area.bytes(lba * area.sectorSize, area.sectorSize);
  if (sector === null || !isHeaderValid(sector, lba, lastLba) || le32(sector, 84) !== ENTRY_BYTES) return null;
  const entries = area.bytes(Number(le64(sector, 72)) * area.sectorSize, le32(sector, 80) * ENTRY_BYTES);
  if (entries === null || Bun.hash.crc32(entries) !== le32(sector, 88)) return null;
  return { diskGuid: sector.subarray(56, 72), firstUsable: le64(sector, 40), lastUsable: le64(sector, 48), entries };
}

function isProtected(area: Area): boolean {
  const mbr = readMbrSector(area, 0);
  return mbr !== null && readMbrEntries(mbr).some((entry) => entry.type === PROTECTIVE);
}

/** Returns the header at the start of the disk or, if that is damaged, the one at its end; null if there is neither. */
function findHeader(area: Area): Header | null {
  const lastLba = Math.floor(area.size / area.sectorSize) - 1;
  return lastLba < 0 ? null : (readHeader(area, 1, lastLba) ?? readHeader(area, lastLba, lastLba));
}

function readEntry(entry: Uint8Array, number: number, header: Header, factor: number): Partition | null {
  const first = le64(entry, 32);
  const last = le64(entry, 40);
  const size = BigInt.asUintN(64, last - first + 1n);
  const isUsable = first >= header.firstUsable && BigInt.asUintN(64, first + size - 1n) <= header.lastUsable;
  if (isEmpty(entry.subarray(0, 16)) || !isUsable) return null;
  const name = trimEnd(toUtf8(entry.subarray(56, 128), "utf-16le"));
  return {
    number,
    start: Number(first) * factor,
    size: Number(size) * factor,
    type: formatGuid(entry.subarray(0, 16)),
    uuid: formatGuid(entry.subarray(16, 32)),
    name: name.length > 0 ? decodeText(name) : null,
    attributes: le64(entry, 48),
    scheme: "gpt",
  };
}

function readPartitions(header: Header, factor: number): readonly Partition[] {
  return Array.from({ length: header.entries.length / ENTRY_BYTES }, (_, i) => {
    return readEntry(header.entries.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES), i + 1, header, factor);
  }).filter((partition) => partition !== null);
}

/** The GUID partition table. Without a protective entry in the MBR it is stale. */
export const gpt: TableFormat = {
  type: "gpt",
  magics: [],
  recognise(area) {
    const header = isProtected(area) ? findHeader(area) : null;
    if (header === null) return null;
    const uuid = isEmpty(header.diskGuid) ? null : formatGuid(header.diskGuid);
    return { uuid, listPartitions: () => readPartitions(header, area.sectorSize / 512) };
  },
};

/** A protective MBR without a GPT. */
export const pmbr: TableFormat = {
  type: "PMBR",
  magics: [{ text: "\x55\xaa", at: 510 }],
  recognise: (area) =>
    isProtected(area) && findHeader(area) === null ? { uuid: null, listPartitions: () => [] } : null,
};
