import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BootError } from "../../../problems/errors.ts";
import { formatBytes } from "../../../problems/size.ts";
import { OWN_ARCHITECTURE } from "../../qemu/machines.ts";
import { EFI_NAMES } from "../../uki/efi-names.ts";
import { formatGrub, formatSyslinux, formatSystemdBoot, type Stick, type TextFiles } from "../entries.ts";
import type { Identity } from "../identity.ts";
import { MIB, roundUp, SECTOR_BYTES } from "../layout.ts";
import type { Workspace } from "../workspace.ts";
import { makeGrub } from "./grub.ts";
import type { Loaders } from "./loaders.ts";

/** Files of this host by their paths on the FAT. */
export type HostFiles = Readonly<Record<string, string>>;

/** FAT32 has 65525 clusters at least; a kernel and an image more than there are now should fit too. */
const [LEAST_BYTES, SPARE_BYTES] = [64 * MIB, 32 * MIB];
const LARGEST_CLUSTER = 32768;
const LARGEST_FILE = 2 ** 32 - 1;
const EFI_PROGRAM = `EFI/BOOT/${EFI_NAMES[OWN_ARCHITECTURE].program}`;
const MENU_MODULES = ["menu.c32", "libutil.c32"];

/** Returns the bytes that a FAT needs for these files. Throws BootError if one is too large for it. */
export function measureBootPartition(files: HostFiles): number {
  let bytes = SPARE_BYTES;
  for (const [path, file] of Object.entries(files)) {
    const { size } = statSync(file);
    if (size > LARGEST_FILE) {
      throw new BootError(`/${path} has ${formatBytes(size)}, and a file on FAT32 at most 4 GiB`, {
        hint: "leave out --table mbr: a stick with GPT has a partition for the root",
      });
    }
    bytes += Math.ceil(size / LARGEST_CLUSTER) * LARGEST_CLUSTER;
  }
  return Math.max(LEAST_BYTES, roundUp(bytes * 1.01));
}

/** What a FAT is made of. */
export interface BootPartition {
  readonly stick: Stick;
  readonly loaders: Loaders;
  readonly files: HostFiles;
  readonly start: number;
  readonly bytes: number;
  readonly identity: Identity;
}

/** Makes the FAT32 with the boot loaders and `files`; returns its path. Throws BootError. */
export async function makeBootPartition(what: BootPartition, workspace: Workspace): Promise<string> {
  const { stick, loaders, identity } = what;
  const image = workspace.path("boot");
  const menu = loaders.bios?.name === "syslinux" ? loaders.bios.modules : null;
  const texts: TextFiles = {
    ...(loaders.efi?.name === "systemd-boot" ? formatSystemdBoot(stick) : {}),
    ...(loaders.bios?.name === "syslinux" ? formatSyslinux(stick, menu === null ? null : "menu.c32") : {}),
    ...(loaders.efi?.name === "grub" || loaders.bios?.name === "grub" ? formatGrub(stick) : {}),
  };
  const files: HostFiles = {
    ...what.files,
    ...(loaders.efi === null ? {} : { [EFI_PROGRAM]: await makeEfiProgram(loaders.efi, identity, workspace) }),
    ...(menu === null ? {} : Object.fromEntries(MENU_MODULES.map((name) => [name, join(menu, name)]))),
    ...writeTexts(texts, workspace),
  };
  writeFileSync(image, "");
  truncateSync(image, what.bytes);
  // syslinux reads from the FAT where its partition begins. --invariant is about the time in the label, which -i follows.
  const place = ["-h", String(what.start / SECTOR_BYTES)];
  const names = ["--invariant", "-F", "32", "-n", stick.label, "-i", identity.serial("boot")];
  await workspace.run("mkfs.vfat", "make the boot partition", [...names, ...place, image]);
  await copyFiles(files, image, workspace);
  if (loaders.bios?.name === "syslinux") {
    await workspace.run("syslinux", "make the boot partition bootable", ["--install", image]);
  }
  return image;
}

/** The serial number of a FAT as GRUB and libblkid show it. */
export const formatFatSerial = (serial: string) => `${serial.slice(0, 4)}-${serial.slice(4)}`.toUpperCase();

function makeEfiProgram(loader: NonNullable<Loaders["efi"]>, identity: Identity, workspace: Workspace) {
  if (loader.name === "systemd-boot") return loader.file;
  return makeGrub(
    EFI_NAMES[OWN_ARCHITECTURE].grub,
    loader.modules,
    formatFatSerial(identity.serial("boot")),
    workspace,
  );
}

function writeTexts(texts: TextFiles, workspace: Workspace): HostFiles {
  return Object.fromEntries(
    Object.entries(texts).map(([path, text], index) => {
      const file = workspace.path(`text-${index}`);
      writeFileSync(file, text);
      return [path, file];
    }),
  );
}

async function copyFiles(files: HostFiles, image: string, workspace: Workspace): Promise<void> {
  const directories = new Set(Object.keys(files).flatMap(listDirectories));
  const made = [...directories].sort().map((path) => `::${path}`);
  // Without this, mtools refuses sizes that are no whole tracks.
  const environment = { MTOOLS_SKIP_CHECK: "1" };
  // Without its directory: mtools puts this name into a line of a configuration, which a newline in it would end.
  const to = ["-i", basename(image)];
  if (made.length > 0) await workspace.run("mmd", "make the boot partition", [...to, ...made], { environment });
  for (const [path, file] of Object.entries(files)) {
    await workspace.run("mcopy", `copy /${path} to the boot partition`, [...to, file, `::${path}`], { environment });
  }
}

/** Lists the directories above a path, the outermost first. */
function listDirectories(path: string): readonly string[] {
  const above = dirname(path);
  return above === "." ? [] : [...listDirectories(above), above];
}

/** Returns the boot code of syslinux for the first sector. */
export function readSyslinuxRecord(records: string, table: "gpt" | "mbr"): Uint8Array {
  return new Uint8Array(readFileSync(join(records, table === "gpt" ? "gptmbr.bin" : "mbr.bin")));
}
