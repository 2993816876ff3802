import type { Context } from "../drivers/context.ts";
import type { NetworkState } from "../machine/network/network.ts";
import { DEFAULT_TIMEOUT_MS } from "../plan/network/network.ts";
import type { NetworkPlan } from "../plan/network/plan.ts";
import { describeInterface } from "../problems/diagnoses/network/network.ts";
import { printable } from "../problems/report.ts";
import { createWaitNotice } from "../problems/wait-notice.ts";
import type { Attempt } from "./attempt.ts";
import { findMissing } from "./candidates.ts";

/** When one interface is up, the others that the plan names have this long. */
const OTHERS_MS = 10_000;
/** An address usually takes no longer. */
const FIRST_NEWS_MS = 3000;
/** How long a card may take to be plugged in if there is none, and no driver is left that could bring one. */
const CARD_MS = 15_000;

/** What is known of the interfaces: how many may be used, how many are up, and whether none of the others can come up. */
interface Outlook {
  readonly interfaces: number;
  readonly up: number;
  readonly isOver: boolean;
}

/** Returns what says until when an address is waited for: what is known of the interfaces brings the end nearer. */
export function createDeadline({ machine, drivers }: Context, { timeoutMs, made }: NetworkPlan) {
  const startMs = machine.nowMs();
  let atMs = startMs + (timeoutMs ?? Number.POSITIVE_INFINITY);
  const endBy = (ms: number) => {
    atMs = Math.min(atMs, ms);
  };
  return ({ interfaces, up, isOver }: Outlook): number => {
    // Every driver that could bring a card is loaded, and limits that were given are kept.
    const hasNoCard = interfaces === 0 && made.length === 0 && !drivers.isHeldUp();
    if (hasNoCard && timeoutMs === DEFAULT_TIMEOUT_MS) endBy(startMs + CARD_MS);
    if (interfaces > 0 && isOver) endBy(machine.nowMs());
    if (up > 0) endBy(machine.nowMs() + OTHERS_MS);
    return atMs;
  };
}

/** Returns what says from time to time what is waited for, and returns after how many milliseconds it wants to be asked again. */
export function createNews({ machine, voice }: Context, attempts: ReadonlyMap<number, Attempt>) {
  const startMs = machine.nowMs();
  const notice = createWaitNotice(voice, FIRST_NEWS_MS);
  return (plan: NetworkPlan, { links }: NetworkState, deadlineMs: number): number => {
    const limitMs = Number.isFinite(deadlineMs) ? deadlineMs - startMs : null;
    return notice("the network", machine.nowMs() - startMs, limitMs, () => {
      const reports = [...attempts.values()].map((attempt) => describeInterface(attempt.report()));
      const missing = findMissing(plan, links).map((name) => `there is no interface ${name}`);
      const seen = [...reports, ...missing].map(printable);
      return seen.join("; ") || "no network interface, and no driver is left that could bring one";
    });
  };
}
