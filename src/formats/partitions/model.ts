import type { Area } from "../area.ts";
import type { Magic } from "../signature.ts";

/** A partition in its table. */
export interface Partition {
  /** Number in the kernel's name: 5 for /dev/sda5. */
  readonly number: number;
  /** Units of 512 bytes, from the start of the disk. */
  readonly start: number;
  /** Units of 512 bytes. */
  readonly size: number;
  /** A GUID for "gpt", text for "mac", else "0x83" and the like. */
  readonly type: string;
  /** PARTUUID; null if the table has none. */
  readonly uuid: string | null;
  /** PARTLABEL or null. Not safe to print: anyone may have written it. */
  readonly name: string | null;
  /** Attributes (gpt), the boot indicator (dos) or flags (sun); 0 for none. */
  readonly attributes: bigint;
  /** PART_ENTRY_SCHEME: the type of its table, which may be nested. */
  readonly scheme: string;
}

/** Partition table of a disk, with the tables nested in it. */
export interface PartitionTable {
  /** PTTYPE: "gpt", "dos", …. */
  readonly type: string;
  /** PTUUID or null. */
  readonly uuid: string | null;
  readonly partitions: readonly Partition[];
}

/** A recognised table; `listPartitions` may read more of the disk. */
interface FoundTable {
  readonly uuid: string | null;
  listPartitions(): readonly Partition[];
}

/** A kind of partition table. */
export interface TableFormat {
  /** PTTYPE. */
  readonly type: string;
  /** One of these must be found; without magics `recognise` is always called. */
  readonly magics: readonly Magic[];
  /** True if libblkid lists the partitions but does not report PTTYPE. */
  readonly isUnnamed?: boolean;
  /** Returns null if it is not this table after all. `fsType` is the TYPE found on the same disk before, or null. */
  recognise(area: Area, fsType: string | null, magic: Magic | null): FoundTable | null;
}

/** The partition of an MBR that contains another table; null for a whole disk. */
export type Parent = Partition | null;

/** A partition of a table without UUIDs and names, in units of 512 bytes from the start of the disk. */
export type Slice = Pick<Partition, "start" | "size"> & { readonly type: number; readonly flags?: number };

/** Makes a partition of a slice; its type is "0x…". */
export function makeSlice(scheme: string, number: number, { start, size, type, flags = 0 }: Slice): Partition {
  const attributes = BigInt(flags);
  return { number, start, size, type: `0x${type.toString(16)}`, uuid: null, name: null, attributes, scheme };
}

/** Makes partitions, numbered from `first`, of the slices that are inside `parent`. */
export function makeSlices(scheme: string, slices: readonly Slice[], parent: Parent, first: number): Partition[] {
  const end = parent === null ? 0 : parent.start + parent.size;
  return slices
    .filter(({ start, size }) => parent === null || (start >= parent.start && start + size <= end))
    .map((slice, i) => makeSlice(scheme, first + i, slice));
}
