import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";

const FOREGROUND = "/dev/tty0";

/**
 * Lists the terminals at which a person may sit, as "/dev/ttyS0": every console of the kernel and the foreground virtual terminal,
 * as there may be a screen although `console=` names only a serial line. Does not check that they can be opened.
 */
export function listConsoles(machine: Machine): readonly string[] {
  // "tty0" is the foreground virtual terminal: by its number too, it would be asked twice.
  const inFront = readNames(machine, "/sys/class/tty/tty0/active");
  const names = readActiveConsoles(machine).map((name) => (inFront.includes(name) ? "tty0" : name));
  const nodes = [...new Set([...names.map((name) => `/dev/${name}`), FOREGROUND])];
  const found = nodes.filter((node) => machine.stat(node)?.kind === "character");
  return found.length > 0 ? found : ["/dev/console"];
}

/** Lists the kernel's consoles by name, the one behind /dev/console last; empty if they cannot be read. */
function readActiveConsoles(machine: Machine): readonly string[] {
  return readNames(machine, "/sys/class/tty/console/active");
}

function readNames(machine: Machine, path: string): readonly string[] {
  try {
    return readText(machine, path)
      .split(/\s+/)
      .filter((name) => /^[\w-]+$/.test(name));
  } catch {
    return [];
  }
}

/** Returns the terminal behind /dev/console, which itself cannot be a controlling terminal: the last of the kernel's active consoles. */
export function findTerminal(machine: Machine): string {
  // "tty0" is the foreground virtual terminal; at boot that is tty1.
  const names = readActiveConsoles(machine).map((name) => (name === "tty0" ? "tty1" : name));
  const found = names.findLast((name) => machine.stat(`/dev/${name}`)?.kind === "character");
  return `/dev/${found ?? "console"}`;
}
