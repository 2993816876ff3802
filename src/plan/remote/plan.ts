import type { NbdExport } from "../../parameters/network/remote.ts";

/** An export and the kernel's name for its device, as "nbd0". */
export interface NbdDisk {
  readonly export: NbdExport;
  readonly device: string;
}

/** The part of a plan about disks on servers. */
export interface RemoteParts {
  readonly remote: RemotePlan;
}

/** Disks on servers that the search for the root connects to. */
export interface RemotePlan {
  /** ATA over Ethernet; `interfaces`: none for every Ethernet interface. null: it is not used. */
  readonly aoe: { readonly interfaces: readonly string[] } | null;
  /** No two have one device. */
  readonly nbd: readonly NbdDisk[];
}
