import type { Context } from "../drivers/context.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import { DEFAULT_TIMEOUT_MS } from "../plan/make-plan.ts";
import { createWaitNotice } from "../problems/wait-notice.ts";
import type { Round } from "./contract.ts";
import { describeFound } from "./findings.ts";
import { pollMedia } from "./media-polling.ts";
import type { Search } from "./search.ts";
import { specText } from "./search-words.ts";

/** How long a search waits for its device, and what it says meanwhile. */
export interface Patience {
  /** Does `act` outside the wait: prompts and unlocking do not count against the device timeout. */
  uncounted<T>(act: () => T): T;
  /** Waits for uevents, and says so; false if the time is up, also for the last resort. */
  wait(round: Exclude<Round, "changed">): boolean;
  /** Restores what the wait has set in the kernel. */
  end(): void;
}

/** After this long the last resort is tried: a USB disk takes some seconds. */
const LONG_MS = 10_000;
/** Limits of a search: the usual one, and the one that replaces it while a disk or a driver has not answered yet. */
export interface Limits {
  readonly usualMs: number;
  readonly slowMs: number;
}

/** A controller may need minutes to start, and a disk to recover. */
const ROOT_LIMITS: Limits = { usualMs: DEFAULT_TIMEOUT_MS, slowMs: 180_000 };

/** Creates the patience for `wanted`, at most `timeoutMs` (null: no limit); only the usual limit is replaced by a longer one. */
export function createPatience(
  { machine, drivers, voice }: Context,
  wanted: DeviceSpec,
  timeoutMs: number | null,
  search: Search,
  { usualMs, slowMs }: Limits = ROOT_LIMITS,
): Patience {
  const [notice, otherNotice] = [createWaitNotice(voice), createWaitNotice(voice)];
  let startMs = machine.nowMs();
  let other = { text: "", startMs };
  let stopPolling: (() => void) | null = null;
  const uncounted = <T>(act: () => T): T => {
    const beforeMs = machine.nowMs();
    const result = act();
    startMs += machine.nowMs() - beforeMs;
    return result;
  };
  let isLastResort = false;
  const dueMs = () => search.dueMs() - machine.nowMs();
  const isAnyBusy = () => drivers.isHeldUp() || search.unanswered().length > 0;
  function waitForRoot(): boolean {
    const waitedMs = machine.nowMs() - startMs;
    const limitMs = waitedMs >= usualMs && timeoutMs === usualMs && isAnyBusy() ? slowMs : timeoutMs;
    const leftMs = limitMs === null ? Number.POSITIVE_INFINITY : limitMs - waitedMs;
    if (leftMs <= 0) return false;
    const noticeMs = notice(specText(wanted), waitedMs, limitMs, () => describeFound(search, wanted));
    search.takeEvents(Math.max(1, Math.min(leftMs, noticeMs, dueMs())));
    return true;
  }
  function waitOnce(round: Exclude<Round, "changed">): boolean {
    stopPolling ??= pollMedia(machine);
    if (round === "idle") return waitForRoot();
    const { text, leftMs } = round;
    if (text !== other.text) other = { text, startMs: machine.nowMs() };
    const waitedMs = machine.nowMs() - other.startMs;
    const noticeMs = otherNotice(text, waitedMs, Number.isFinite(leftMs) ? waitedMs + leftMs : null);
    uncounted(() => search.takeEvents(Math.max(1, Math.min(leftMs, noticeMs, dueMs()))));
    return true;
  }
  return {
    uncounted,
    wait(round) {
      const goesOn = waitOnce(round);
      if (!goesOn && isLastResort) return false;
      isLastResort = !goesOn || machine.nowMs() - startMs >= LONG_MS;
      if (isLastResort) search.lastResort();
      return true;
    },
    end: () => stopPolling?.(),
  };
}
