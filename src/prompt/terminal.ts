import type { Machine } from "../machine/machine.ts";
import { readActiveConsoles } from "./consoles.ts";

/** The terminal behind /dev/console, which itself cannot be a controlling terminal: the last name in the kernel's list of active consoles. */
export function findTerminal(machine: Machine): string {
  // "tty0" means the virtual terminal that is in front; tty1 is the one that a person sees at boot.
  const names = readActiveConsoles(machine).map((name) => (name === "tty0" ? "tty1" : name));
  const found = names.findLast((name) => machine.stat(`/dev/${name}`)?.kind === "character");
  return `/dev/${found ?? "console"}`;
}
