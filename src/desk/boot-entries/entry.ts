import { findMountOf, type MountEntry, readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { orIfRefused } from "../../problems/errors.ts";

/** An entry of a boot loader's menu. */
export interface BootEntry {
  /** As "GRUB". */
  readonly loader: string;
  /** The file that it is in. */
  readonly config: string;
  readonly title: string;
  /** Paths on this machine; they need not exist. A unified kernel image is its own kernel. */
  readonly kernel: string | null;
  readonly initrds: readonly string[];
  readonly cmdline: string;
  readonly isDefault: boolean;
}

/** Creates what turns a path as a boot loader sees it, from the top of its filesystem, into one on this machine. */
export function createPathFinder(machine: Machine): (path: string) => string {
  const mounts = orIfRefused(() => readMounts(machine), []);
  const usual = findMountOf(mounts, "/boot");
  return (given) => {
    const path = given.replace(/^\([^)]*\)/, "").replace(/^(?!\/)/, "/");
    const candidates = [...(usual === null ? [] : [below(usual, path)]), `/boot${path}`, path];
    return (
      [...candidates, `/boot/efi${path}`, `/efi${path}`].find((one) => isFile(machine, one)) ?? candidates[0] ?? path
    );
  };
}

/** A boot loader knows no subvolumes: of a btrfs that is mounted with subvol=@, the path begins with "/@". */
function below({ target, root }: MountEntry, path: string): string {
  const inside = root !== "/" && path.startsWith(`${root}/`) ? path.slice(root.length) : path;
  return `${target === "/" ? "" : target}${inside}`;
}

const isFile = (machine: Machine, path: string) => orIfRefused(() => machine.stat(path)?.kind === "file", false);
