import { INITTAB } from "../filesystems/busybox.ts";
import { findFileIn, resolveIn } from "../filesystems/resolve.ts";
import { decodeText } from "../formats/text.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";

type Shell = BootPlan["rescue"]["shell"];

/** Programs that are a shell with any arguments. */
const SHELLS = /^(?:r?bash|d?ash|sh|hush|zsh|fish|[mlo]?ksh(?:93)?|t?csh|sulogin)$/;
/** Multi-call programs: their own name runs any applet, the shell included. */
const MANY = /^(?:busybox|toybox)(?:[.-]static)?$/;

/**
 * Returns why `path` of the tree at `root` would give a shell as process 1, which `shell` forbids, or null. In the initramfs itself ("/") that is also
 * BusyBox's init if its inittab starts a shell, or is missing (it starts four then, init/init.c of BusyBox).
 */
export function objectToShell(machine: Machine, root: string, path: string, shell: Shell = false): string | null {
  if (shell === true || shell === "keep") return null;
  const andNone = shell === "ask" ? ", and rdshell=ask allows none as the init" : ", and rdshell=0 allows none";
  const real = nameOf(resolveIn(machine, root, path) ?? path);
  const asked = nameOf(path);
  if ([asked, real].some((name) => SHELLS.test(name)) || MANY.test(asked)) return `is a shell${andNone}`;
  if (root !== "/" || !MANY.test(real)) return null;
  const inittab = readInittab(machine);
  if (inittab === null) return `is ${real}'s init, which starts a shell if ${INITTAB} is missing${andNone}`;
  const isSafe = !inittab.some(startsShell);
  return isSafe ? null : `is ${real}'s init, and ${INITTAB} starts a shell${andNone}`;
}

/** Returns true if `path` of the initramfs is BusyBox's init (or Toybox's). */
export function isBusyboxInit(machine: Machine, path: string): boolean {
  return nameOf(path) === "init" && MANY.test(nameOf(resolveIn(machine, "/", path) ?? ""));
}

/** Returns the program that BusyBox's init becomes after SIGQUIT (the first action "restart" of its inittab), or null. */
export function findRestartProgram(machine: Machine): string | null {
  const lines = (readInittab(machine) ?? []).filter((line) => !line.trim().startsWith("#"));
  const [, , , program] = lines.map((line) => line.split(":")).find(([, , action]) => action === "restart") ?? [];
  return program?.trim() ?? null;
}

/** The lines of the initramfs's inittab; null if it has none. */
function readInittab(machine: Machine): readonly string[] | null {
  const inittab = findFileIn(machine, "/", INITTAB);
  return inittab === null ? null : decodeText(machine.readFile(inittab)).split("\n");
}

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
