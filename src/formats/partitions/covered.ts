import type { Area } from "../area.ts";
import { findTable } from "./partition-table.ts";

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
