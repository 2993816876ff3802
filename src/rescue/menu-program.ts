import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import { findSelf, runProgram } from "./shell.ts";

/** Where the menu is: in a shell, which it returns to; in place of the shell; or in its place where rdshell=0 allows none. */
export type MenuPlace = "shell" | "alone" | "locked";

/** The variable in which the menu gets its place: a person at the machine cannot set it without a shell. */
export const MENU_PLACE = "LEVAIN_MENU";
/** The exit status that asks for a shell. */
export const SHELL_WANTED = 3;
/** SIGHUP, SIGINT and SIGQUIT, by a key before the menu listens: the boot is retried, as after `exit` in a shell. Others are crashes. */
const KEYS = [129, 130, 131];

/** Returns the place that a process of the menu was started with. */
export function readMenuPlace(value: string | undefined): MenuPlace {
  return value === "alone" || value === "locked" ? value : "shell";
}

/** How the menu ended; "failed": it could not be started, or crashed. */
interface MenuResult {
  readonly kind: "retry" | "shell" | "failed";
  /** For the next retry. */
  readonly words: readonly string[];
}

/** Runs the menu on every console: it is `levain menu`, so that a crash of it does not end the boot. */
export function runMenuProgram(machine: Machine, isLocked: boolean, console: Console): MenuResult {
  const environment = { [MENU_PLACE]: isLocked ? "locked" : "alone" };
  const program = { argv: [findSelf(machine), "menu"], environment, hasAllConsoles: true };
  const { status, words } = runProgram(machine, program, { console, lines: [] }) ?? { status: 1, words: [] };
  const asked = isLocked ? [] : words;
  if (status === SHELL_WANTED) return { kind: "shell", words: asked };
  return { kind: status === 0 || KEYS.includes(status) ? "retry" : "failed", words: asked };
}
