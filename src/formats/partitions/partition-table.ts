import { type Area, examine } from "../area.ts";
import type { ByteSource } from "../facts.ts";
import { findMagic } from "../signature.ts";
import { atari } from "./atari.ts";
import { dos } from "./dos.ts";
import { gpt, pmbr } from "./gpt.ts";
import { mac } from "./mac.ts";
import type { PartitionTable, TableFormat } from "./model.ts";
import { bsd, solaris } from "./unix/bsd.ts";
import { aix, sgi, sun, ultrix } from "./unix/workstations.ts";

/** All kinds of partition table in libblkid's order: the first that is recognised counts. */
export const TABLE_FORMATS: readonly TableFormat[] = [aix, sgi, sun, dos, gpt, pmbr, mac, ultrix, bsd, solaris, atari];

/** Finds all tables of the disk in libblkid's order. `fsType` is the TYPE found on the disk before, or null. */
function* findTables(area: Area, fsType: string | null) {
  for (const format of TABLE_FORMATS) {
    const magic = findMagic(area, format.magics);
    const found = magic === null && format.magics.length > 0 ? null : format.recognise(area, fsType, magic);
    if (found !== null) yield { type: format.type, isNamed: format.isUnnamed !== true, ...found };
  }
}

/** Returns the table that PTTYPE reports, or null. */
export function findNamedTable(area: Area, fsType: string | null) {
  return findTables(area, fsType).find((table) => table.isNamed) ?? null;
}

/** Returns the table whose partitions count, or null. */
function findTable(area: Area) {
  return findTables(area, null).next().value ?? null;
}

/** Reads the partition table of a whole disk with logical sectors of `sectorSize` bytes (a power of two, at least 512); null if it has none. */
export function readPartitionTable(source: ByteSource, sectorSize: number): PartitionTable | null {
  const found = findTable(examine(source, { kind: "disk", sectorSize }));
  return found && { type: found.type, uuid: found.uuid, partitions: found.listPartitions() };
}

/** True if one partition of the disk contains all of `length` bytes from `offset`, and no partition reaches beyond the end of the disk. */
export function isCovered(area: Area, offset: number, length: number): boolean {
  const partitions = findTable(area)?.listPartitions() ?? [];
  const start = Math.floor(offset / 512);
  const end = Math.floor((offset + length) / 512);
  return (
    partitions.every((partition) => partition.start + partition.size <= Math.floor(area.size / 512)) &&
    partitions.some((partition) => start >= partition.start && end <= partition.start + partition.size)
  );
}
