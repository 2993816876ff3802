import type { Machine } from "../../../machine/machine.ts";
import { BootError, isErrno } from "../../../problems/errors.ts";
import { report } from "../../../problems/report.ts";
import type { Voice } from "../../../problems/voice.ts";
import type { Screen } from "./screen.ts";

/** How the menu is left: the boot goes on, a shell starts, or back to the shell where it was started. */
export type MenuEnd = "retry" | "shell";

/** What the entries of the menu use. */
export interface MenuTools {
  readonly machine: Machine;
  readonly screen: Screen;
  /** Shows warnings and progress on the same consoles. */
  readonly voice: Voice;
}

/** Runs a part of the menu; shows why it failed, and returns null then: no failure may end the menu. */
export function attempt<T>({ screen }: MenuTools, act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    screen.show(report(error));
    return null;
  }
}

/** Shows lines, and waits until a person has read them. */
export function showAndWait({ screen }: MenuTools, lines: readonly string[]): void {
  screen.show(lines);
  screen.ask("Enter: back to the menu> ");
}
