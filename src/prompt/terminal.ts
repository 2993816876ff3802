import type { Machine } from "../machine/machine.ts";
import { readActiveConsoles } from "./consoles.ts";

/** Returns the terminal behind /dev/console, which itself cannot be a controlling terminal: the last of the kernel's active consoles. */
export function findTerminal(machine: Machine): string {
  // "tty0" is the foreground virtual terminal; at boot that is tty1.
  const names = readActiveConsoles(machine).map((name) => (name === "tty0" ? "tty1" : name));
  const found = names.findLast((name) => machine.stat(`/dev/${name}`)?.kind === "character");
  return `/dev/${found ?? "console"}`;
}
