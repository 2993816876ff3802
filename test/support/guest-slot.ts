import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cacheDirectory, takeLock } from "./cache.ts";

// A guest that waits for a disk, a person or a timer needs no CPU: with one more than there are CPUs, a fifth less time is lost.
const SLOTS = availableParallelism() + 1;

/** Waits until fewer guests than `SLOTS` run, over all processes. Returns what gives the slot to another one. */
export function takeGuestSlot(): Promise<() => void> {
  const locks = cacheDirectory("locks");
  return takeLock(...Array.from({ length: SLOTS }, (_, slot) => join(locks, `vm-slot-${slot}`)));
}
