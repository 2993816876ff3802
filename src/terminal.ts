import type { Machine } from "./machine/machine.ts";
import { readText } from "./steps/block-devices.ts";

/** The terminal behind /dev/console, which itself cannot be a controlling terminal: the last name in the kernel's list of active consoles. */
export function findTerminal(machine: Machine): string {
  const names = readActiveConsoles(machine);
  const found = names.findLast((name) => machine.stat(`/dev/${name}`)?.kind === "character");
  return `/dev/${found ?? "console"}`;
}

function readActiveConsoles(machine: Machine): readonly string[] {
  try {
    // "tty0" means the virtual terminal that is in front; tty1 is the one that a person sees at boot.
    return readText(machine, "/sys/class/tty/console/active")
      .split(" ")
      .map((name) => (name === "tty0" ? "tty1" : name));
  } catch {
    return [];
  }
}
