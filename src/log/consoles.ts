import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";

/** The foreground virtual terminal, and which one that is at boot. */
const SCREEN = "tty0";
/** Its node. */
export const SCREEN_NODE = `/dev/${SCREEN}`;
const FIRST_SCREEN = "tty1";
const ACTIVE = "/sys/class/tty/console/active";
/** The kernel's console that shows nothing, which console=null chooses (drivers/tty/ttynull.c). */
const NULL_CONSOLE = "ttynull";

/**
 * Lists the terminals at which a person may sit, as "/dev/ttyS0": every console of the kernel and the foreground virtual terminal,
 * as there may be a screen although `console=` names only a serial line. Does not check that they can be opened.
 */
export function listConsoles(machine: Machine): readonly string[] {
  const found = nodesOf(machine, [...readActiveConsoles(machine), SCREEN]);
  return found.length > 0 ? found : ["/dev/console"];
}

/**
 * Lists where to write a report so that every terminal of `listConsoles` shows it once; null is /dev/console as stage0 has opened
 * it, which is another terminal than now if a console has registered since then (hvc0 of a module). If the kernel shows the same
 * text, its own consoles are left out.
 */
export function listReportConsoles(machine: Machine, { shownByKernel }: { readonly shownByKernel: boolean }) {
  if (!isKnown(machine)) return shownByKernel ? [] : [null];
  const active = readActiveConsoles(machine);
  const nodes: readonly (string | null)[] = nodesOf(machine, [...active, SCREEN]);
  if (shownByKernel) return nodes.filter((node) => !active.some((name) => node === `/dev/${name}`));
  // Without devtmpfs a console may have no node; stage0 opens the screen if no console= exists.
  return nodes.includes(`/dev/${active.at(-1) ?? SCREEN}`) ? nodes : [null, ...nodes];
}

/** False without /sys. */
function isKnown(machine: Machine): boolean {
  return orIfRefused(() => machine.stat(ACTIVE), null) !== null;
}

/** Lists the kernel's consoles by name, the one behind /dev/console last; empty if they cannot be read. */
function readActiveConsoles(machine: Machine): readonly string[] {
  // "tty0" is the foreground virtual terminal: by its number too, it would be used twice.
  const inFront = readForeground(machine);
  return readNames(machine, ACTIVE).map((name) => (name === inFront ? SCREEN : name));
}

/** Returns the name of the foreground virtual terminal, "tty1"; null if it cannot be read. */
function readForeground(machine: Machine): string | null {
  return readNames(machine, "/sys/class/tty/tty0/active").at(0) ?? null;
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

/** Returns those of these terminals that exist and have two ends. */
function nodesOf(machine: Machine, names: readonly string[]): readonly string[] {
  const nodes = new Set(names.filter((name) => name !== NULL_CONSOLE).map((name) => `/dev/${name}`));
  return [...nodes].filter((node) => orIfRefused(() => machine.stat(node), null)?.kind === "character");
}

/**
 * Lists the terminals for a shell, the first to try first: the one behind /dev/console, which itself cannot be a controlling
 * terminal; /dev/console; and the others at which a person may sit.
 */
export function listShellTerminals(machine: Machine): readonly string[] {
  const active = nodesOf(machine, readActiveConsoles(machine)).toReversed();
  const screens = nodesOf(machine, [SCREEN]);
  const [first = (isKnown(machine) ? screens[0] : null) ?? "/dev/console", ...others] = active;
  return [...new Set([first, "/dev/console", ...others, ...screens].map((node) => shellTerminalOf(machine, node)))];
}

/** Returns the terminal for a shell of a person at the console `node`: "tty0" cannot be a controlling terminal (tty_open() of drivers/tty/tty_io.c). */
export function shellTerminalOf(machine: Machine, node: string): string {
  return node === `/dev/${SCREEN}` ? `/dev/${readForeground(machine) ?? FIRST_SCREEN}` : node;
}

/** Returns the name that `console=` has for a terminal of `listShellTerminals`. */
export function nameTerminal(machine: Machine, node: string): string {
  const name = node.slice("/dev/".length);
  return name === (readForeground(machine) ?? FIRST_SCREEN) ? `${SCREEN} (the screen)` : name;
}
