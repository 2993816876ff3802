import type { Area } from "../area.ts";
import type { Magic } from "../signature.ts";

/** One partition as its table has it. */
export interface Partition {
  /** As in the kernel's name of it: /dev/sda5 is 5. */
  readonly number: number;
  /** Units of 512 bytes, from the start of the disk. */
  readonly start: number;
  /** Units of 512 bytes. */
  readonly size: number;
  /** A GUID for "gpt", text for "mac", else "0x83" and the like. */
  readonly type: string;
  /** PARTUUID; null where the table gives none. */
  readonly uuid: string | null;
  /** PARTLABEL; null where it has none. Not safe to print: it is whatever somebody wrote there. */
  readonly name: string | null;
  /** Attributes (gpt), the boot indicator (dos) or flags (sun); 0 for none. */
  readonly attributes: bigint;
  /** PART_ENTRY_SCHEME: the type of the table that it stands in, which may be nested. */
  readonly scheme: string;
}

/** A partition table of a disk, with what is nested in it. */
export interface PartitionTable {
  /** PTTYPE: "gpt", "dos", …. */
  readonly type: string;
  /** PTUUID; null where it has none. */
  readonly uuid: string | null;
  readonly partitions: readonly Partition[];
}

/** A table that was recognised; its partitions are read when asked for, which may take more of the disk. */
export interface FoundTable {
  readonly uuid: string | null;
  listPartitions(): readonly Partition[];
}

/** How one kind of partition table is recognised and read. */
export interface TableFormat {
  /** PTTYPE. */
  readonly type: string;
  /** One of these must be there; an empty list asks `recognise` always. */
  readonly magics: readonly Magic[];
  /** True where libblkid lists the partitions but does not tell the table as PTTYPE. */
  readonly isUnnamed?: boolean;
  /** null where it is not this table after all. `fsType` is the TYPE found on the same disk before, or null. */
  recognise(area: Area, fsType: string | null, magic: Magic | null): FoundTable | null;
}
