import type { Identity } from "./identity.ts";

export const MIB = 2 ** 20;
export const SECTOR_BYTES = 512;

/** What a partition is for: the boot loader and the kernel, GRUB's own code, the root, its hash tree, and changes. */
export type Role = "boot" | "grub" | "root" | "hashes" | "changes";

/** A partition before it has a place. */
export interface Part {
  readonly role: Role;
  readonly bytes: number;
}

/** A partition with its place on the disk, in bytes, and the names by which a boot finds it. */
export interface Partition extends Part {
  readonly number: number;
  readonly start: number;
  /** As root=PARTUUID= takes it. */
  readonly partUuid: string;
}

/** A disk with its partitions, in the order of their numbers. */
export interface Layout {
  readonly table: Table;
  readonly partitions: readonly Partition[];
  /** The bytes of the smallest disk with these partitions. */
  readonly bytes: number;
}

export type Table = "gpt" | "mbr";

/** Partition types: of the Discoverable Partitions Specification and of GRUB for GPT, and a number for MBR. */
const TYPES: Readonly<Record<Role, Readonly<Record<Table, string>>>> = {
  boot: { gpt: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", mbr: "c" },
  grub: { gpt: "21686148-6449-6e6f-744e-656564454649", mbr: "83" },
  root: { gpt: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", mbr: "83" },
  hashes: { gpt: "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", mbr: "83" },
  changes: { gpt: "0fc63daf-8483-4772-8e79-3d69d8477de4", mbr: "83" },
};

/** Places partitions one after the other, each at a whole MiB; the first MiB belongs to the partition table, with GPT the last one too. */
export function layOutDisk(table: Table, parts: readonly Part[], identity: Identity): Layout {
  const partitions: Partition[] = [];
  let start = MIB;
  for (const [index, part] of parts.entries()) {
    const bytes = roundUp(part.bytes);
    const number = index + 1;
    partitions.push({ ...part, bytes, number, start, partUuid: namePartition(table, number, part.role, identity) });
    start += bytes;
  }
  return { table, partitions, bytes: start + (table === "gpt" ? MIB : 0) };
}

export const roundUp = (bytes: number) => Math.ceil(bytes / MIB) * MIB;

/** dos partitions have no UUID: Linux names them by the disk's identifier and their number. */
function namePartition(table: Table, number: number, role: Role, identity: Identity): string {
  if (table === "gpt") return identity.uuid(`partition ${role}`);
  return `${identity.serial("disk")}-${number.toString(16).padStart(2, "0")}`;
}

/** Returns the partition with this role, or null. */
export function findPartition({ partitions }: Pick<Layout, "partitions">, role: Role): Partition | null {
  return partitions.find((partition) => partition.role === role) ?? null;
}

/** Formats the layout for sfdisk(8). `label` begins the names of the partitions; only letters, digits, `-` and `_`. */
export function formatSfdiskScript({ table, partitions }: Layout, label: string, identity: Identity): string {
  const id = table === "gpt" ? identity.uuid("disk") : `0x${identity.serial("disk")}`;
  const head = [`label: ${table === "gpt" ? "gpt" : "dos"}`, `label-id: ${id}`, "unit: sectors", ""];
  const lines = partitions.map((partition) => {
    const { number, start, bytes, role } = partition;
    const place = `start=${start / SECTOR_BYTES}, size=${bytes / SECTOR_BYTES}`;
    const own = table === "gpt" ? gptFields(partition, label) : mbrFields(partition);
    return `${number} : ${place}, type=${TYPES[role][table]}${own}`;
  });
  return `${[...head, ...lines].join("\n")}\n`;
}

const mbrFields = ({ role }: Partition) => (role === "boot" ? ", bootable" : "");

/** syslinux boots the GPT partition with the attribute LegacyBIOSBootable (UEFI specification, 5.3.3). */
function gptFields({ role, partUuid }: Partition, label: string): string {
  const attributes = role === "boot" ? ", attrs=LegacyBIOSBootable" : "";
  return `, uuid=${partUuid}, name="${label}-${role}"${attributes}`;
}
