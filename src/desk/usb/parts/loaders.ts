import { join } from "node:path";
import { BootError } from "../../../problems/errors.ts";
import { UsageError } from "../../command-line.ts";
import { isDirectory, isFile } from "../../host.ts";
import { type Architecture, OWN_ARCHITECTURE } from "../../qemu/machines.ts";
import { haveTool, type Tool } from "../../tool.ts";
import { EFI_NAMES, type EfiNames, SYSTEMD_EFI } from "../../uki/efi-names.ts";

/** The boot loaders of a stick, by firmware; null: it does not boot there. */
export interface Loaders {
  readonly efi: EfiLoader | null;
  readonly bios: BiosLoader | null;
}

/** `file`: the program of systemd-boot. `modules`: the directory of GRUB for this firmware. */
export type EfiLoader =
  | { readonly name: "systemd-boot"; readonly file: string }
  | { readonly name: "grub"; readonly modules: string };

/** `records`: the directory of mbr.bin and gptmbr.bin. `modules`: that of menu.c32, or null. */
export type BiosLoader =
  | { readonly name: "syslinux"; readonly records: string; readonly modules: string | null }
  | { readonly name: "grub"; readonly modules: string };

const GRUB = "/usr/lib/grub";
/** Of Debian, Fedora and Arch. */
const SYSLINUX_RECORDS = ["/usr/lib/syslinux/mbr", "/usr/share/syslinux", "/usr/lib/syslinux/bios"];
const SYSLINUX_MODULES = ["/usr/lib/syslinux/modules/bios", "/usr/share/syslinux", "/usr/lib/syslinux/bios"];

/** What this host has, for tests. */
export interface Host {
  readonly isFile: (path: string) => boolean;
  readonly isDirectory: (path: string) => boolean;
  readonly haveTool: (tool: Tool) => string | null;
  readonly architecture: Architecture;
}

const THIS_HOST: Host = { isFile, isDirectory, haveTool, architecture: OWN_ARCHITECTURE };

/**
 * Chooses the boot loaders: what `--efi` and `--bios` name, by default the first that this host has. Throws BootError if a loader is
 * not installed, UsageError for an unknown name.
 */
export function chooseLoaders(request: Readonly<Record<"efi" | "bios", string | null>>, host = THIS_HOST): Loaders {
  const efi = choose("efi", "EFI", request.efi, efiLoaders(EFI_NAMES[host.architecture]), host);
  const bios = chooseBios(request.bios, host);
  if (efi === null && bios === null) throw new UsageError("--efi none and --bios none leave no boot loader");
  return { efi, bios };
}

interface Candidate<Loader> {
  readonly packages: string;
  find(host: Host): Loader | null;
}

function findGrub(host: Host, platform: string) {
  const modules = join(GRUB, platform);
  if (!host.isDirectory(modules) || host.haveTool("grub-mkimage") === null) return null;
  return { name: "grub", modules } as const;
}

/** In the order in which they are preferred. */
const efiLoaders = (names: EfiNames): Readonly<Record<string, Candidate<EfiLoader>>> => ({
  "systemd-boot": {
    packages: "systemd-boot-efi",
    find(host) {
      const file = join(SYSTEMD_EFI, names.systemdBoot);
      return host.isFile(file) ? { name: "systemd-boot", file } : null;
    },
  },
  grub: { packages: `${names.grubPackage} grub-common`, find: (host) => findGrub(host, names.grub) },
});

const BIOS_LOADERS: Readonly<Record<string, Candidate<BiosLoader>>> = {
  syslinux: {
    packages: "syslinux syslinux-common",
    find: (host) => {
      const records = SYSLINUX_RECORDS.find((path) => host.isFile(join(path, "gptmbr.bin")));
      if (records === undefined || host.haveTool("syslinux") === null) return null;
      const modules = SYSLINUX_MODULES.find((path) => host.isFile(join(path, "menu.c32"))) ?? null;
      return { name: "syslinux", records, modules };
    },
  },
  grub: { packages: "grub-pc-bin grub-common", find: (host) => findGrub(host, "i386-pc") },
};

/** Only x86 machines have a BIOS. */
function chooseBios(wanted: string | null, host: Host): BiosLoader | null {
  if (host.architecture === "x86_64") return choose("bios", "BIOS", wanted, BIOS_LOADERS, host);
  if (wanted === null || wanted === "none") return null;
  throw new UsageError(`--bios ${wanted}: machines of ${host.architecture} have no BIOS`);
}

function choose<Loader>(
  option: string,
  firmware: string,
  wanted: string | null,
  candidates: Readonly<Record<string, Candidate<Loader>>>,
  host: Host,
): Loader | null {
  if (wanted === "none") return null;
  const names = Object.keys(candidates);
  if (wanted !== null && !names.includes(wanted)) {
    throw new UsageError(`--${option}: expected ${names.join(", ")} or none but received "${wanted}"`);
  }
  const asked = Object.entries(candidates).filter(([name]) => wanted === null || name === wanted);
  for (const [, candidate] of asked) {
    const found = candidate.find(host);
    if (found !== null) return found;
  }
  const install = asked.map(([, { packages }]) => `apt install ${packages}`).join(", or ");
  throw new BootError(`this host has no boot loader for ${firmware}: ${asked.map(([name]) => name).join(" or ")}`, {
    hint: `install one (Debian: ${install}), or make a stick that does not boot by ${firmware}: --${option} none`,
  });
}
