import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type MountEntry, readMounts } from "../../../filesystems/mounts.ts";
import type { Machine } from "../../../machine/machine.ts";
import { textOrNone } from "../../../machine/small-files.ts";
import { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { isDirectory } from "../../host.ts";
import { patternOf } from "./patterns.ts";

/** A tree of files that becomes the root of a stick. */
export interface RootSource {
  readonly directory: string;
  /** Patterns of what stays out. */
  readonly excluded: readonly string[];
  /** A file, as an absolute path without links, that is empty on the stick; null: none. */
  readonly emptied: string | null;
  /** Mounted filesystems that stay out, for the user. */
  readonly leftOut: readonly string[];
}

/** What a kernel or a boot fills: the directories stay, their content does not. */
const FILLED_AT_BOOT = ["proc/*", "sys/*", "dev/*", "run/*", "tmp/*"];

/** What can be made again. */
export const CACHES = [
  ...["var/tmp/*", "var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*"],
  ...["var/cache/dnf/*", "var/cache/pacman/pkg/*", "var/cache/apk/*", "root/.cache/*", "home/*/.cache/*"],
];
/** Of a running system: what names disks of this machine, and seeds that must be used once only. */
const OF_THIS_MACHINE = ["etc/fstab", "etc/crypttab", "var/lib/systemd/random-seed", "lost+found"];
const IDENTITY = ["etc/ssh/ssh_host_*_key", "etc/ssh/ssh_host_*_key.pub", "var/lib/dbus/machine-id"];
/** An empty file means that systemd makes a new one; without the file, it would also reset which services are enabled (machine-id(5)). */
const MACHINE_ID = "/etc/machine-id";

/** Directories that belong to a system also if they are on filesystems of their own. */
const OF_THE_SYSTEM = /^\/(?:usr|var|opt|srv|root|boot)(?:\/|$)/;
const EFI_PARTITION = /^\/(?:efi|boot\/efi)(?:\/|$)/;
const IN_FILLED = /^\/(?:proc|sys|dev|run|tmp)(?:\/|$)/;

/** Describes a directory that has a whole root filesystem; `excluded` are patterns of what stays out besides. Throws BootError. */
export function sourceOfDirectory(directory: string, excluded: readonly string[] = []): RootSource {
  const what = `cannot make a stick from ${printable(directory)}`;
  if (!isDirectory(directory)) throw new BootError(`${what}: it is not a directory`);
  const names = readdirSync(directory);
  if (!names.some((name) => ["bin", "sbin", "usr", "init"].includes(name))) {
    throw new BootError(`${what}: it has no usr, bin or sbin`, {
      seen: names.slice(0, 8).map(printable),
      hint: "name the top directory of a root filesystem",
    });
  }
  return { directory, excluded: [...FILLED_AT_BOOT, ...excluded], emptied: null, leftOut: [] };
}

/** What the user says about a copy of the running system. */
export interface RunningChoice {
  readonly keepsIdentity: boolean;
  /** Mount points to copy too. */
  readonly mounts: readonly string[];
}

/** Describes the running system; `own` are files and directories that the copy itself makes. Throws BootError. */
export function sourceOfRunning(machine: Machine, choice: RunningChoice, own: readonly string[]): RootSource {
  const mounts = readMounts(machine);
  for (const path of choice.mounts) {
    if (!mounts.some(({ target }) => target === path)) {
      throw new BootError(`nothing is mounted at ${printable(path)}`, { hint: "--mount needs a mount point" });
    }
  }
  const { copied, leftOut } = divideMounts(mounts, choice.mounts);
  const identity = choice.keepsIdentity ? [] : IDENTITY;
  const excluded = [
    ...[...FILLED_AT_BOOT, ...CACHES, ...OF_THIS_MACHINE, ...identity],
    ...leftOut.map(({ target }) => `${patternOf(target)}/*`),
    ...[...listSwapFiles(machine), ...own].map(patternOf),
  ];
  const hasMachineId = machine.lstat(MACHINE_ID) !== null;
  return {
    directory: "/",
    excluded,
    emptied: choice.keepsIdentity || !hasMachineId ? null : realpathSync(MACHINE_ID),
    leftOut: leftOut
      .filter(({ target }) => !copied.some((mount) => mount.target === target))
      .map(({ target, type, source }) => printable(`${target} (${type}, ${source})`)),
  };
}

/** Divides what is mounted below the root: a disk's filesystem that belongs to the system, or that the user names, is copied. */
function divideMounts(mounts: readonly MountEntry[], named: readonly string[]) {
  const below = mounts.filter(({ target }) => target !== "/" && !IN_FILLED.test(target));
  const isCopied = ({ target, source }: MountEntry) =>
    named.includes(target) || (source.startsWith("/dev/") && OF_THE_SYSTEM.test(target) && !EFI_PARTITION.test(target));
  return { copied: below.filter(isCopied), leftOut: below.filter((mount) => !isCopied(mount)) };
}

/** Lists swap files, as proc(5) has them: escaped as in mountinfo, and those that were removed meanwhile with "\040(deleted)". */
function listSwapFiles(machine: Machine): readonly string[] {
  const lines = textOrNone(machine, "/proc/swaps").split("\n").slice(1);
  return lines.flatMap((line) => {
    const [name = "", type] = line.split(/\s+/);
    if (type !== "file") return [];
    return [name.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))];
  });
}

/** Returns a path inside a source on this host. */
export const inSource = ({ directory }: Pick<RootSource, "directory">, path: string) => join(directory, path);
