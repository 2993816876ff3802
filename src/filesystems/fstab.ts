import { decodeText } from "../formats/text.ts";
import type { Machine } from "../machine/machine.ts";
import { orIfRefused } from "../problems/errors.ts";
import { unescapeOctal } from "./mounts.ts";
import { findFileIn } from "./resolve.ts";

/** The table of filesystems in a root. */
export const FSTAB = "/etc/fstab";

/** A line of fstab(5). */
export interface FstabEntry {
  /** As the file has it: "LABEL=DATA", "/dev/vda1", "tmpfs", or a path. */
  readonly source: string;
  /** "none" for swap. */
  readonly target: string;
  readonly type: string;
  /** Comma-separated; "defaults" if the line has none. */
  readonly options: string;
  /** False for the pass number 0, which is the default: fsck leaves the filesystem alone. */
  readonly isChecked: boolean;
}

/** A longer file is not read: a disk must not decide how much memory that takes. */
const MOST_FSTAB_BYTES = 64 << 10;

/** Reads /etc/fstab of the tree at `root`: no lines if it has none, null if the file cannot be read or is too long. */
export function readFstab(machine: Machine, root: string): readonly FstabEntry[] | null {
  return orIfRefused(() => {
    const file = findFileIn(machine, root, FSTAB);
    if (file === null) return [];
    if ((machine.stat(file)?.size ?? 0) > MOST_FSTAB_BYTES) return null;
    return parseFstab(decodeText(machine.readFile(file)));
  }, null);
}

/** Parses fstab(5), as getmntent(3) does: comments and lines without a source and a target are skipped, \040 is a space. */
export function parseFstab(text: string): readonly FstabEntry[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.match(/[^ \t\r]+/g) ?? [];
    const [source = "", target, type = "auto", options = "defaults", , pass = "0"] = fields.map(unescapeOctal);
    if (target === undefined || source.startsWith("#") || line.includes("\\000")) return [];
    return [{ source, target, type, options, isChecked: /^0*[1-9]/.test(pass) }];
  });
}

/** True if the comma-separated options contain `name`. */
export function hasOption(options: string, name: string): boolean {
  return options.split(",").includes(name);
}
