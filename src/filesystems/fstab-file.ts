import { type FstabEntry, MOST_FSTAB_BYTES, parseFstab } from "../formats/fstab.ts";
import { decodeText } from "../formats/text.ts";
import type { Machine } from "../machine/machine.ts";
import { orIfRefused } from "../problems/errors.ts";
import { findFileIn } from "./resolve.ts";

/** The table of filesystems in a root. */
export const FSTAB = "/etc/fstab";

/** Reads /etc/fstab of the tree at `root`: no lines if it has none, null if the file cannot be read or is too long. */
export function readFstab(machine: Machine, root: string): readonly FstabEntry[] | null {
  return orIfRefused(() => {
    const file = findFileIn(machine, root, FSTAB);
    if (file === null) return [];
    if ((machine.stat(file)?.size ?? 0) > MOST_FSTAB_BYTES) return null;
    return parseFstab(decodeText(machine.readFile(file)));
  }, null);
}
