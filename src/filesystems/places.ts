import type { Machine } from "../machine/machine.ts";
import { problem } from "../problems/problem.ts";

/** Creates a directory that the boot needs. Throws BootError: a classic initrd may be read-only. */
export function makePlace(machine: Machine, place: string): void {
  try {
    machine.makeDirectory(place);
  } catch (cause) {
    throw problem("place-missing", { place }, { cause });
  }
}
