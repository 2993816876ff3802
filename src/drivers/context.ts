import type { Machine } from "../machine/machine.ts";
import type { Voice } from "../problems/voice.ts";
import type { Loader } from "./make-loader.ts";

/** Registers a function that reverts what a step has just done. They run, the last first, if the step fails or the boot goes back. */
export type Undo = (takeBack: () => void) => void;

/** What code that acts on the machine needs: the machine, its drivers, a voice to report progress and warnings, and the undo of the current step. */
export interface Context {
  readonly machine: Machine;
  readonly drivers: Loader;
  readonly voice: Voice;
  readonly undo: Undo;
  /**
   * Those that have opened a volume in this boot: the next search tries them before it asks. Wiped and removed when no search follows,
   * and before a shell. Absent: each search asks for itself.
   */
  readonly passphrases?: Uint8Array[];
}
