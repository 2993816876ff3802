import { findFileIn, resolveIn } from "../filesystems/resolve.ts";
import { decodeText } from "../formats/text.ts";
import type { Machine } from "../machine/machine.ts";

/** Programs that are a shell with any arguments. */
const SHELLS = /^(?:r?bash|d?ash|sh|hush|zsh|fish|[mlo]?ksh(?:93)?|t?csh|sulogin)$/;
/** Multi-call programs: their own name runs any applet, the shell included. */
const MANY = /^(?:busybox|toybox)(?:[.-]static)?$/;
const INITTAB = "/etc/inittab";

/**
 * Returns why `path` of the tree at `root` would give a shell as process 1, or null. In the initramfs itself ("/") that is also
 * BusyBox's init if its inittab starts a shell, or is missing (it starts four then, init/init.c of BusyBox).
 */
export function objectToShell(machine: Machine, root: string, path: string): string | null {
  const real = nameOf(resolveIn(machine, root, path) ?? path);
  const asked = nameOf(path);
  if ([asked, real].some((name) => SHELLS.test(name)) || MANY.test(asked)) return `is a shell${AND_NONE}`;
  if (root !== "/" || !MANY.test(real)) return null;
  const inittab = findFileIn(machine, root, INITTAB);
  if (inittab === null) return `is ${real}'s init, which starts a shell if ${INITTAB} is missing${AND_NONE}`;
  const isSafe = !decodeText(machine.readFile(inittab)).split("\n").some(startsShell);
  return isSafe ? null : `is ${real}'s init, and ${INITTAB} starts a shell${AND_NONE}`;
}

const AND_NONE = ", and rdshell=0 allows none";

/** Returns true for a line "ID:RUNLEVELS:ACTION:PROCESS" of an inittab that starts an interactive shell; with a command or a file, a shell runs that and exits. */
function startsShell(line: string): boolean {
  if (line.trim().startsWith("#")) return false;
  const words = line.split(":").slice(3).join(":").trim().replace(/^-/, "").split(/\s+/);
  const shellAt = words.findIndex((word) => SHELLS.test(nameOf(word)));
  return shellAt >= 0 && words.slice(shellAt + 1).every((word) => /^-[^c]*$/.test(word));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
