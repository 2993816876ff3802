import { type Area, examine } from "./area.ts";
import type { ByteSource } from "./facts.ts";
import { findMagic } from "./signature.ts";
import { TABLE_FORMATS } from "./partitions/formats.ts";
import type { FoundTable, PartitionTable } from "./partitions/model.ts";

/** The first kind of table that the disk has; null where it has none. `fsType` is the TYPE found on the disk before, or null. */
export function findTable(area: Area, fsType: string | null): (FoundTable & { readonly type: string }) | null {
  for (const format of TABLE_FORMATS) {
    const magic = findMagic(area, format.magics);
    const found = magic === null && format.magics.length > 0 ? null : format.recognise(area, fsType, magic);
    if (found !== null) {
      return { type: format.type, ...found };
    }
  }
  return null;
}

/** The partition table of a whole disk whose logical sectors are of `sectorSize` bytes (a power of two from 512 on); null where it has none. */
export function readPartitionTable(source: ByteSource, sectorSize: number, fsType: string | null = null): PartitionTable | null {
  const found = findTable(examine(source, sectorSize), fsType);
  return found && { type: found.type, uuid: found.uuid, partitions: found.listPartitions() };
}
