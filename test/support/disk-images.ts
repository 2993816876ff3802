import { linkSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { copyDisk } from "./copy-disk.ts";
import { type ImageNames, type ImageType, rootImage, treeImage } from "./filesystem-images.ts";

const MIB = 1024 * 1024;

export interface Partition {
  /** The filesystem image that fills it; a partition without one is empty. */
  readonly file?: string;
  /** As sfdisk(8) takes it: "L" (Linux, the default), "U" (EFI), "c" (FAT32 on dos), "E" (extended on dos), … */
  readonly type?: string;
  /** PARTLABEL; GPT only. */
  readonly name?: string;
  /** PARTUUID; GPT only (on dos it is the disk's id and the number). */
  readonly uuid?: string;
  /** Default: what the file needs, or 1. */
  readonly sizeMib?: number;
  readonly bootable?: boolean;
}

/** A disk with a partition table; `id` is GPT's disk GUID or dos's number, as "0x1badcafe". Partitions begin at 1 MiB, each on a MiB. */
export async function assembleDisk(
  partitions: readonly Partition[],
  options: { readonly table: "gpt" | "dos"; readonly id?: string },
): Promise<string> {
  const stamps = partitions.map(({ file }) =>
    file === undefined ? null : [statSync(file).size, statSync(file).mtimeMs],
  );
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), partitions, stamps, options);
  const directory = await cached("disks", key, async (target) => {
    const disk = join(target, "disk");
    const sizes = partitions.map(partitionMib);
    const starts = sizes.map((_, index) => 1 + sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
    await run(["truncate", "-s", `${sizes.reduce((sum, size) => sum + size, 2)}M`, disk]);
    const lines = partitions.map((partition, index) => partitionLine(partition, starts[index] ?? 1, sizes[index] ?? 1));
    const head = [`label: ${options.table}`, ...(options.id === undefined ? [] : [`label-id: ${options.id}`])];
    await run(["sfdisk", "--quiet", disk], { stdin: `${[...head, "", ...lines].join("\n")}\n` });
    for (const [index, { file }] of partitions.entries()) {
      if (file === undefined) continue;
      const where = ["bs=1M", `seek=${starts[index]}`, "conv=notrunc,sparse"];
      await run(["dd", `if=${file}`, `of=${disk}`, "status=none", ...where]);
    }
  });
  return join(directory, "disk");
}

// $1 is the filesystem, $2 its size in MiB; it is copied to 2 MiB.
const FOREIGN_TABLES = {
  mac: 'parted -s disk mklabel mac mkpart root ext2 2MiB "$(($2 + 2))MiB"',
  bsd: `echo "label: dos
    2048,,a5" | sfdisk -q disk
    truncate -s "$(($2 + 3))M" slice; parted -s slice mklabel bsd mkpart ext2 1MiB "$(($2 + 1))MiB"
    # parted writes the label where an Alpha has it, at byte 64 of the first sector; that of a PC is in the second sector of its partition.
    dd if=slice of=disk bs=1 skip=64 count=404 seek="$((2049 * 512))" conv=notrunc status=none; rm slice`,
};

/** A disk with Apple's partition map, whose second partition is the filesystem (the first is the map), or with a slice of FreeBSD, which is the kernel's partition 5. */
export async function foreignDisk(table: keyof typeof FOREIGN_TABLES, file: string): Promise<string> {
  const script = `truncate -s "$(($2 + 4))M" disk; ${FOREIGN_TABLES[table]}
    dd if="$1" of=disk bs=1M seek=2 conv=notrunc,sparse status=none`;
  const directory = await cached("disks", recipeKey(script, file, statSync(file).mtimeMs), async (target) => {
    await runScript(script, [file, `${partitionMib({ file })}`], { cwd: target });
  });
  return join(directory, "disk");
}

function partitionMib({ file, sizeMib }: Partition): number {
  return sizeMib ?? (file === undefined ? 1 : Math.ceil(statSync(file).size / MIB));
}

function partitionLine(partition: Partition, startMib: number, sizeMib: number): string {
  const { type = "L", name, uuid, bootable = false } = partition;
  const fields = [`start=${startMib}MiB`, `size=${sizeMib}MiB`, `type=${type}`];
  if (name !== undefined) fields.push(`name="${name}"`);
  if (uuid !== undefined) fields.push(`uuid=${uuid}`);
  if (bootable) fields.push("bootable");
  return fields.join(", ");
}

/** A filesystem image that holds these files (path in it → file on the host) and nothing else. */
export async function filesImage(
  type: ImageType,
  files: Readonly<Record<string, string>>,
  names: ImageNames = {},
): Promise<string> {
  const stamps = Object.values(files).map((file) => [statSync(file).size, statSync(file).mtimeMs]);
  const directory = await cached(
    "trees",
    recipeKey(readFileSync(import.meta.path, "utf8"), files, stamps),
    (target) => {
      for (const [path, file] of Object.entries(files)) {
        mkdirSync(dirname(join(target, path)), { recursive: true });
        linkOrCopy(file, join(target, path));
      }
      return Promise.resolve();
    },
  );
  const bytes = Object.values(files).reduce((sum, file) => sum + statSync(file).size, 0);
  const sizeMib = type === "vfat" ? Math.max(64, Math.ceil((bytes * 1.1) / MIB) + 4) : undefined;
  return treeImage(type, directory, names, sizeMib);
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyDisk(from, to);
  }
}

/** The silent media PC's stick: a dos disk with one FAT32 partition labelled FLASH that holds /newroot.sfs. */
export async function flashStick(
  options: { readonly image?: string; readonly label?: string; readonly path?: string } = {},
): Promise<string> {
  const { image = await rootImage("squashfs-zstd"), label = "FLASH", path = "/newroot.sfs" } = options;
  const file = await filesImage("vfat", { [path]: image }, { label, uuid: "F1A5-4000" });
  return assembleDisk([{ file, type: "c", bootable: true }], { table: "dos", id: "0xf1a54000" });
}

/** A live medium as dracut's dmsquash-live has it (/LiveOS/squashfs.img), as an ISO or a FAT32 filesystem without a partition table. */
export async function liveMedium(type: "iso9660" | "vfat", label = "LIVE"): Promise<string> {
  return filesImage(type, { "/LiveOS/squashfs.img": await rootImage("squashfs-zstd") }, { label });
}

export async function blankDisk(sizeMib: number): Promise<string> {
  const file = join(scratchDirectory(), "blank");
  await run(["truncate", "-s", `${sizeMib}M`, file]);
  return file;
}
