import type { Trouble } from "../../contract.ts";

/** One way to disks on servers, or one such disk. */
export interface Transport {
  /** Tries to go on; true if a device may have appeared. Called when `dueMs` has come. */
  advance(): boolean;
  /** When it wants to try again, as `Clock.nowMs`; infinite if there is nothing left to do. */
  dueMs(): number;
  /** What it has asked in vain, in words; null if nothing. */
  seen(): string | null;
  problem(): Trouble | null;
  /** Ends what still runs for it. */
  close?(): void;
}

/** The pauses between two tries: a server that starts later is found soon, and one that is down is not flooded. */
const PAUSES_MS = [500, 1000, 2000];

/** Returns the pauses, the last of them again and again. */
export function createPauses(): () => number {
  let count = 0;
  return () => PAUSES_MS[Math.min(count++, PAUSES_MS.length - 1)] ?? 0;
}
