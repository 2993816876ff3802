import { closeSync, openSync, readSync, truncateSync, writeFileSync } from "node:fs";
import { BootError } from "../../problems/errors.ts";
import type { DiskContent, Piece } from "./disk/target.ts";
import type { Identity } from "./identity.ts";
import { findPartition, formatSfdiskScript, type Layout, SECTOR_BYTES } from "./layout.ts";
import type { UsbOptions } from "./options.ts";
import { formatFatSerial, readSyslinuxRecord } from "./parts/boot-partition.ts";
import { embedGrub, makeGrub } from "./parts/grub.ts";
import type { Loaders } from "./parts/loaders.ts";
import type { Workspace } from "./workspace.ts";

/** The content of the partitions: files, or null where there is none; `inPlace` makes that of the changes on the disk itself. */
export interface StickImages extends Readonly<Record<"root" | "hashes" | "changes", string | null>> {
  readonly boot: string;
  readonly inPlace: DiskContent["makeInPlace"];
}

/** What is known of a disk when its content has been made. */
export interface DiskRequest {
  readonly layout: Layout;
  readonly images: StickImages;
  readonly diskBytes: number;
  readonly identity: Identity;
  readonly options: Pick<UsbOptions, "label">;
  readonly loaders: Loaders;
  readonly workspace: Workspace;
}

/** Sectors of GPT (UEFI specification, 5.3): header and entries behind the first one, and a copy of both at the end. */
const GPT_SECTORS = 33;

/** Puts the partitions, the table and the boot code together. Throws BootError. */
export async function makeContent(request: DiskRequest): Promise<DiskContent> {
  const { layout, images, diskBytes } = request;
  const piece = (role: "boot" | "root" | "hashes" | "changes"): readonly Piece[] => {
    const [place, from] = [findPartition(layout, role), images[role]];
    return place === null || from === null ? [] : [{ at: place.start, from }];
  };
  const { record, core } = await makeBootCode(request);
  const { first, rest } = await makeTable(request);
  first.set(record);
  return {
    diskBytes,
    pieces: [...piece("root"), ...piece("hashes"), ...piece("changes"), ...core, ...piece("boot")],
    makeInPlace: images.inPlace,
    table: { first, rest },
  };
}

/** Returns the code of the first sector, and the pieces that it starts. */
async function makeBootCode({ layout, loaders, identity, workspace }: DiskRequest) {
  const { bios } = loaders;
  if (bios === null) return { record: new Uint8Array(), core: [] };
  if (bios.name === "syslinux") return { record: readSyslinuxRecord(bios.records, layout.table), core: [] };
  // Without a partition of its own, GRUB is between the first sector and the first partition.
  const [own, boot] = [findPartition(layout, "grub"), findPartition(layout, "boot")];
  const start = own?.start ?? SECTOR_BYTES;
  const room = own?.bytes ?? (boot?.start ?? 0) - SECTOR_BYTES;
  const made = await makeGrub("i386-pc", bios.modules, formatFatSerial(identity.serial("boot")), workspace);
  const { record, image } = embedGrub(bios.modules, made, start);
  if (image.length > room) throw new BootError("the boot loader is too large for its place: GRUB's core image");
  return { record, core: [{ at: start, from: image }] };
}

/** Has sfdisk write the partition table into a sparse file as large as the disk. */
async function makeTable({ layout, diskBytes, identity, options, workspace }: DiskRequest) {
  const file = workspace.path("table");
  writeFileSync(file, "");
  truncateSync(file, diskBytes);
  const stdin = new TextEncoder().encode(formatSfdiskScript(layout, options.label, identity));
  const args = ["--quiet", "--no-tell-kernel", "--no-reread", "--wipe", "never", file];
  await workspace.run("sfdisk", "make the partition table", args, { stdin });
  const read = (at: number, length: number) => readExactly(file, at, length);
  const first = read(0, SECTOR_BYTES);
  if (layout.table === "mbr") return { first, rest: [] };
  const length = GPT_SECTORS * SECTOR_BYTES;
  const places = [diskBytes - (diskBytes % SECTOR_BYTES) - length, SECTOR_BYTES];
  return { first, rest: places.map((at) => ({ at, from: read(at, length) })) };
}

function readExactly(path: string, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(path, "r");
  try {
    if (readSync(file, bytes, 0, length, at) !== length) throw new BootError("the partition table is incomplete");
    return bytes;
  } finally {
    closeSync(file);
  }
}
