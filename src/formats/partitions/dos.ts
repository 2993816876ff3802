import type { Area } from "../area.ts";
import { holds, le32 } from "../bytes.ts";
import { isExfat } from "../filesystems/dos/exfat.ts";
import { isFat } from "../filesystems/dos/fat.ts";
import { isNtfs } from "../filesystems/dos/ntfs.ts";
import { findMagic } from "../signature.ts";
import { type MbrEntry, readMbrEntries, readMbrSector } from "./mbr.ts";
import { makeSlice, makeSlices, type Partition, type TableFormat } from "./model.ts";
import { bsd, readBsdSlices, readSolarisSlices, solaris } from "./unix/bsd.ts";
import { AIX_MAGIC } from "./unix/workstations.ts";

const GPT_PROTECTIVE = 0xee;
const EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];
const FIRST_LOGICAL = 5;
// An extended partition may link to empty ones; a loop of them ends here.
const MAX_EMPTY_LINKS = 100;

const isExtended = (entry: MbrEntry) => EXTENDED.includes(entry.type);

/** Returns the sector with the table; null for a boot sector of a filesystem and for a protective MBR. */
function readTable(area: Area, fsType: string | null): Uint8Array | null {
  const sector = readMbrSector(area, 0);
  if (sector === null || holds(sector, 0, AIX_MAGIC)) return null;
  const entries = readMbrEntries(sector);
  const isTable = entries.every((entry) => entry.bootIndicator === 0 || entry.bootIndicator === 0x80);
  const isProtective = entries.some((entry) => entry.type === GPT_PROTECTIVE);
  if (!isTable || isProtective || isFat(area) || isExfat(area) || isNtfs(area)) return null;
  // A boot loader may be in front of a physical volume: a boot sector without partitions is not a table then.
  const isEmptyTable = entries.every((entry) => entry.size === 0);
  return fsType === "LVM2_member" && isEmptyTable ? null : sector;
}

type Extended = Pick<Partition, "start" | "size">;

function makePartition({ type, bootIndicator }: MbrEntry, place: Extended, number: number, diskId: string | null) {
  const uuid = diskId && `${diskId}-${number.toString(16).padStart(2, "0")}`;
  return { ...makeSlice("dos", number, { ...place, type, flags: bootIndicator }), uuid };
}

/** The data entries of one link of the chain; units of 512 bytes. Only OS/2 uses the third and fourth entry; they are mostly junk. */
function findData(entries: readonly MbrEntry[], link: Extended, all: Extended, factor: number): readonly MbrEntry[] {
  return entries.filter((entry, i) => {
    const start = link.start + entry.start * factor;
    const end = start + entry.size * factor;
    const isInside = start >= all.start && end <= all.start + all.size;
    return entry.size > 0 && !isExtended(entry) && isInside && (i < 2 || end <= link.start + link.size);
  });
}

/** Appends the logical partitions of one extended partition, following its chain as Linux does (block/partitions/msdos.c). */
function addLogical(area: Area, all: Extended, factor: number, diskId: string | null, into: Partition[]): void {
  let link = all;
  for (let empty = 0; all.start !== 0 && empty < MAX_EMPTY_LINKS; empty++) {
    const sector = readMbrSector(area, link.start);
    if (sector === null) return;
    const entries = readMbrEntries(sector);
    for (const entry of findData(entries, link, all, factor)) {
      const start = link.start + entry.start * factor;
      if (!into.some((partition) => partition.start === start)) {
        const number = Math.max(FIRST_LOGICAL, (into.at(-1)?.number ?? 0) + 1);
        into.push(makePartition(entry, { start, size: entry.size * factor }, number, diskId));
        empty = -1;
      }
    }
    const next = entries.find((entry) => entry.size > 0 && entry.start > 0 && isExtended(entry));
    const place = { start: all.start + (next?.start ?? 0) * factor, size: (next?.size ?? 0) * factor };
    // A chain only goes forward and stays inside: a loop ends here.
    if (next === undefined || place.start <= link.start || place.start + place.size > all.start + all.size) return;
    link = place;
  }
}

function readPartitions(area: Area, sector: Uint8Array, diskId: string | null): readonly Partition[] {
  const factor = area.sectorSize / 512;
  const partitions: Partition[] = [];
  const entries = readMbrEntries(sector);
  for (const [i, entry] of entries.entries()) {
    const place = { start: entry.start * factor, size: entry.size * factor };
    if (place.size > 0) partitions.push(makePartition(entry, place, i + 1, diskId));
  }
  for (const entry of entries.filter(isExtended)) {
    const all = { start: entry.start * factor, size: entry.size * factor };
    if (all.size > 0) addLogical(area, all, factor, diskId, partitions);
  }
  return [...partitions, ...readNestedTables(area, partitions)];
}

/** The MBR's table with logical partitions and the tables nested in primary ones. */
export const dos: TableFormat = {
  type: "dos",
  magics: [{ text: "\x55\xaa", at: 510 }],
  recognise(area, fsType) {
    const sector = readTable(area, fsType);
    if (sector === null) return null;
    const id = le32(sector, 440);
    const diskId = id === 0 ? null : id.toString(16).padStart(8, "0");
    return { uuid: diskId, listPartitions: () => readPartitions(area, sector, diskId) };
  },
};

const BSD_TYPES: readonly string[] = ["0xa5", "0xa6", "0xa9"];
const SOLARIS_TYPE = "0x82";
const MINIX = 0x81;
const LAST_PRIMARY = 4;

/** Minix divides its partition by another MBR, whose entries count from the start of the disk. */
function readMinixSlices(area: Area, parent: Partition, firstNumber: number): readonly Partition[] {
  const sector = readMbrSector(area, 0);
  const entries = sector === null ? [] : readMbrEntries(sector).filter(({ type }) => type === MINIX);
  const slices = entries.map((entry) => ({ ...entry, flags: entry.bootIndicator }));
  return makeSlices("minix", slices, parent, firstNumber);
}

function readNestedTable(area: Area, parent: Partition, firstNumber: number): readonly Partition[] {
  const inside = area.part(parent.start * 512, parent.size * 512);
  if (inside === null) return [];
  if (BSD_TYPES.includes(parent.type)) return readBsdSlices(inside, findMagic(inside, bsd.magics), parent, firstNumber);
  // Linux swap has the same type.
  if (parent.type === SOLARIS_TYPE && findMagic(inside, solaris.magics) !== null) {
    return readSolarisSlices(inside, parent, firstNumber);
  }
  return parent.type === "0x81" ? readMinixSlices(inside, parent, firstNumber) : [];
}

/** Reads the tables inside primary partitions; their partitions are numbered after all those of the MBR. */
function readNestedTables(area: Area, partitions: readonly Partition[]): readonly Partition[] {
  const nested: Partition[] = [];
  if (area.isTiny) return nested;
  const first = Math.max(FIRST_LOGICAL, (partitions.at(-1)?.number ?? 0) + 1);
  for (const parent of partitions.filter(({ number }) => number <= LAST_PRIMARY)) {
    nested.push(...readNestedTable(area, parent, first + nested.length));
  }
  return nested;
}
