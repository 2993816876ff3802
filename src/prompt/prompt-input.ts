import type { Machine } from "../machine/machine.ts";
import type { TerminalInput } from "../machine/terminals.ts";

/** The interval at which a terminal that hung up is opened again. */
const REOPEN_MS = 1000;
/** Pauses between two rounds of uevents: the first, and the longest, reached by doubling while they keep coming. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** Returns the next input, until `deadlineMs` (null: no limit); calls `reopen`, if given, every second for terminals that hung up. */
type NextInput = (deadlineMs: number | null, reopen: (() => void) | null) => TerminalInput;

/**
 * Creates the input of a prompt: typed keys at once, but uevents at a decreasing rate while they keep coming, because a device that
 * never stops reporting changes must neither redraw the prompt all the time nor prolong its timeout.
 */
export function createPromptInput(machine: Machine): NextInput {
  let pauseMs = 0;
  let heedsDevicesAtMs = Number.NEGATIVE_INFINITY;

  function slowDown(): void {
    const nowMs = machine.nowMs();
    const isQuiet = nowMs - heedsDevicesAtMs > LONGEST_PAUSE_MS;
    pauseMs = isQuiet ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    heedsDevicesAtMs = nowMs + pauseMs;
  }

  const heedsDevices = () => machine.nowMs() >= heedsDevicesAtMs;

  function waitOnce(waitMs: number, isOver: boolean): TerminalInput {
    const until = isOver || !heedsDevices() ? "typing" : "anything";
    const input = machine.readTerminals(Number.isFinite(waitMs) ? waitMs : null, until);
    if (input.kind === "device") slowDown();
    return input;
  }

  return (deadlineMs, reopen) => {
    for (;;) {
      const leftMs = Math.max(0, (deadlineMs ?? Number.POSITIVE_INFINITY) - machine.nowMs());
      const pauseLeftMs = heedsDevices() ? Number.POSITIVE_INFINITY : heedsDevicesAtMs - machine.nowMs();
      const waitMs = Math.min(leftMs, pauseLeftMs, reopen === null ? Number.POSITIVE_INFINITY : REOPEN_MS);
      const input = waitOnce(waitMs, leftMs === 0);
      if (input.kind !== "timeout" || waitMs === leftMs) return input;
      reopen?.();
    }
  };
}
