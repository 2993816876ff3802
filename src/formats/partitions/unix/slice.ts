import type { Partition } from "../model.ts";

/** Makes a partition of a table without UUIDs and names; its type is "0x…". */
export function makeSlice(
  scheme: string,
  slice: Pick<Partition, "number" | "start" | "size">,
  type: number,
  flags = 0,
): Partition {
  return { ...slice, type: `0x${type.toString(16)}`, uuid: null, name: null, attributes: BigInt(flags), scheme };
}

/** True if a slice is inside the partition that contains its table; all in units of 512 bytes. */
export function isInside(parent: Pick<Partition, "start" | "size">, start: number, size: number): boolean {
  return start >= parent.start && start + size <= parent.start + parent.size;
}
