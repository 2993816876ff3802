import type { NvmePlace } from "../../parameters/network/nvmf.ts";
import type { NbdExport } from "../../parameters/network/remote.ts";

/** An export and the kernel's name for its device, as "nbd0". */
export interface NbdDisk {
  readonly export: NbdExport;
  readonly device: string;
}

/** Disks of NVMe over TCP. */
export interface NvmePlan {
  /** At least one. */
  readonly places: readonly NvmePlace[];
  /** What this machine is called; null: as the image or the firmware says. */
  readonly hostNqn: string | null;
  readonly hostId: string | null;
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
  /** NVMe over TCP; null: it is not used. */
  readonly nvme: NvmePlan | null;
}
