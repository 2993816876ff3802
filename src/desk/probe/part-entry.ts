import type { Partition } from "../../formats/partitions/model.ts";
import { addTag, type Tags } from "../../formats/tags.ts";

/** Adds what the table of a whole disk says of one of its partitions, as libblkid's PART_ENTRY_*; `disk` is the disk's "major:minor". */
export function addPartEntry(tags: Tags, partition: Partition, disk: string): void {
  addTag(tags, "PART_ENTRY_SCHEME", partition.scheme);
  if (partition.name !== null) {
    addTag(tags, "PART_ENTRY_NAME", partition.name);
  }
  if (partition.uuid !== null) {
    addTag(tags, "PART_ENTRY_UUID", partition.uuid);
  }
  addTag(tags, "PART_ENTRY_TYPE", partition.type);
  if (partition.attributes !== 0n) {
    addTag(tags, "PART_ENTRY_FLAGS", `0x${partition.attributes.toString(16)}`);
  }
  addTag(tags, "PART_ENTRY_NUMBER", String(partition.number));
  addTag(tags, "PART_ENTRY_OFFSET", String(partition.start));
  addTag(tags, "PART_ENTRY_SIZE", String(partition.size));
  addTag(tags, "PART_ENTRY_DISK", disk);
}

/** The partition that starts and ends where the kernel's does (units of 512 bytes); of an extended one the kernel shows 2 sectors. */
export function findPartition(partitions: readonly Partition[], start: number, size: number): Partition | null {
  const isExtended = ({ type }: Partition) => ["0x5", "0xf", "0x85"].includes(type);
  const found = partitions.find(
    (partition) => partition.start === start && (partition.size === size || (isExtended(partition) && size <= 1024)),
  );
  return found ?? null;
}
