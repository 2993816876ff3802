import type { BackgroundLoad } from "../drivers/make-loader.ts";
import type { Machine } from "../machine/machine.ts";
import type { TerminalInput } from "../machine/terminals.ts";

/** The interval at which a terminal that hung up is opened again. */
const REOPEN_MS = 1000;
/** Pauses between two rounds of uevents: the first, and the longest, reached by doubling while they keep coming. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** What goes on while a prompt waits, without printing; as `Loader.loadInBackground`. */
export type ContinueLoading = () => Pick<BackgroundLoad, "leftMs" | "hasMoved" | "hasNews">;

/** Returns the next input, until `deadlineMs` (null: no limit); calls `reopen`, if given, every second for terminals that hung up. */
type NextInput = (deadlineMs: number | null, reopen: (() => void) | null) => Exclude<TerminalInput, { kind: "answer" }>;

/**
 * Creates the input of a prompt: typed keys at once, but uevents at a decreasing rate while they keep coming, because a device that
 * never stops reporting changes must neither redraw the prompt all the time nor prolong its timeout. `continueLoading` is called before each
 * wait and after each answer; what it has to say, and an answer that is not for it, count as a uevent.
 */
export function createPromptInput(machine: Machine, continueLoading: ContinueLoading): NextInput {
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
    const until = isOver || !heedsDevices() ? "answer" : "anything";
    const input = machine.readTerminals(Number.isFinite(waitMs) ? waitMs : null, until);
    if (input.kind === "device") slowDown();
    return input;
  }

  /** How long to wait until something is due, up to `leftMs`. */
  function untilDue(leftMs: number, loadingMs: number, reopen: (() => void) | null): number {
    const pauseLeftMs = heedsDevices() ? Number.POSITIVE_INFINITY : heedsDevicesAtMs - machine.nowMs();
    return Math.min(leftMs, pauseLeftMs, reopen === null ? Number.POSITIVE_INFINITY : REOPEN_MS, loadingMs);
  }

  return (deadlineMs, reopen) => {
    let isAnswered = false;
    for (;;) {
      const { leftMs: loadingMs, hasMoved, hasNews } = continueLoading();
      if (hasNews || (isAnswered && !hasMoved)) return { kind: "device" };
      const leftMs = Math.max(0, (deadlineMs ?? Number.POSITIVE_INFINITY) - machine.nowMs());
      const waitMs = untilDue(leftMs, loadingMs, reopen);
      const input = waitOnce(waitMs, leftMs === 0);
      isAnswered = input.kind === "answer";
      if (input.kind === "answer") continue;
      if (input.kind !== "timeout" || waitMs === leftMs) return input;
      reopen?.();
    }
  };
}
