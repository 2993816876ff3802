import { type Area, examine } from "../area.ts";
import type { ByteSource } from "../facts.ts";
import { findMagic } from "../signature.ts";
import { TABLE_FORMATS } from "./formats.ts";
import type { FoundTable, PartitionTable } from "./model.ts";

/** A table with its type: PTTYPE. */
export interface TypedTable extends FoundTable {
  readonly type: string;
  /** False if libblkid does not report the type as PTTYPE. */
  readonly isNamed: boolean;
}

/** Finds all tables of the disk in libblkid's order. `fsType` is the TYPE found on the disk before, or null. */
function* findTables(area: Area, fsType: string | null): Generator<TypedTable> {
  for (const format of TABLE_FORMATS) {
    const magic = findMagic(area, format.magics);
    const found = magic === null && format.magics.length > 0 ? null : format.recognise(area, fsType, magic);
    if (found !== null) yield { type: format.type, isNamed: format.isUnnamed !== true, ...found };
  }
}

/** Returns the table that PTTYPE reports, or null. */
export function findNamedTable(area: Area, fsType: string | null): TypedTable | null {
  return findTables(area, fsType).find((table) => table.isNamed) ?? null;
}

/** Returns the table whose partitions count, or null. */
export function findTable(area: Area, fsType: string | null = null): TypedTable | null {
  return findTables(area, fsType).next().value ?? null;
}

/** Reads the partition table of a whole disk with logical sectors of `sectorSize` bytes (a power of two, at least 512); null if it has none. */
export function readPartitionTable(source: ByteSource, sectorSize: number): PartitionTable | null {
  const found = findTable(examine(source, { kind: "disk", sectorSize }));
  return found && { type: found.type, uuid: found.uuid, partitions: found.listPartitions() };
}
