import { readText } from "../devices/block-devices.ts";
import type { Machine } from "../machine/machine.ts";

const FOREGROUND = "/dev/tty0";

/**
 * The terminals at which a person may sit: every console of the kernel, and the virtual terminal in front where there is one,
 * for a screen may be there although `console=` names a serial line only. Nodes as "/dev/ttyS0"; whether they can be opened is not asked.
 */
export function listConsoles(machine: Machine): readonly string[] {
  // "tty0" is whichever virtual terminal is in front: by its number it would be asked twice.
  const inFront = readNames(machine, "/sys/class/tty/tty0/active");
  const names = readActiveConsoles(machine).map((name) => (inFront.includes(name) ? "tty0" : name));
  const nodes = [...new Set([...names.map((name) => `/dev/${name}`), FOREGROUND])];
  const found = nodes.filter((node) => machine.stat(node)?.kind === "character");
  return found.length > 0 ? found : ["/dev/console"];
}

/** The kernel's consoles by name, the one behind /dev/console last; none where it cannot be read. */
export function readActiveConsoles(machine: Machine): readonly string[] {
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
