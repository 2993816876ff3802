import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";

/** A line of /proc/self/mountinfo, as proc(5) has it. */
export interface MountEntry {
  readonly target: string;
  /** Filesystem type, "rootfs" for the kernel's own root. */
  readonly type: string;
  readonly source: string;
  /** "major:minor"; major 0 if it is no block device, as for btrfs. */
  readonly device: string;
  /** The directory of the filesystem that is mounted: "/" unless it is a bind mount. */
  readonly root: string;
  /** Of this mount, as "ro,noexec". */
  readonly options: string;
  /** Of the filesystem, as the kernel shows them: with its escapes. */
  readonly superOptions: string;
}

/** Returns the mounts of this system, the oldest first. */
export function readMounts(machine: Machine): readonly MountEntry[] {
  return parseMountInfo(readText(machine, "/proc/self/mountinfo"));
}

/** Parses mountinfo; lines that are not as proc(5) has them are skipped. */
export function parseMountInfo(text: string): readonly MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ", 2);
    const [, , device = "", root = "/", target, options = ""] = before?.split(" ") ?? [];
    const [type, source, superOptions = ""] = after?.split(" ") ?? [];
    if (target === undefined || type === undefined) return [];
    return [
      {
        target: unescapeOctal(target),
        type,
        source: unescapeOctal(source ?? ""),
        device,
        root: unescapeOctal(root),
        options,
        superOptions,
      },
    ];
  });
}

/** Returns the mount at exactly `target`, the topmost of several; null if nothing is mounted there. */
export function findMount(mounts: readonly MountEntry[], target: string): MountEntry | null {
  return mounts.findLast((mount) => mount.target === target) ?? null;
}

/** Returns the mount that the file `path` (absolute, without links) lies on; null if it is none of these. */
export function findMountOf(mounts: readonly MountEntry[], path: string): MountEntry | null {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/")) || "/") {
    const mount = findMount(mounts, at);
    if (mount !== null || at === "/") return mount;
  }
}

/** True if something is mounted at exactly this path. */
export function isMounted(machine: Machine, target: string): boolean {
  // The table is long to read, and /sysroot usually not there when the boot asks.
  return machine.lstat(target) !== null && findMount(readMounts(machine), target) !== null;
}

/** Decodes the octal escapes of the mount table and of fstab: space, tab, newline and backslash are \040 and so on. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8) & 0xff));
}
