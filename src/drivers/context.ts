import type { Machine } from "../machine/machine.ts";
import type { Voice } from "../problems/voice.ts";
import type { Loader } from "./loader.ts";

/** Registers how to revert what a step has just done. The functions run, the last first, if the step fails or the boot goes back. */
export type Undo = (takeBack: () => void) => void;

/** What everything that acts on the machine needs: the machine, its drivers, a way to speak while it works, and the undo of the step that it is part of. */
export interface Context {
  readonly machine: Machine;
  readonly drivers: Loader;
  readonly voice: Voice;
  readonly undo: Undo;
}
