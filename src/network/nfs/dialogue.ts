import type { Context } from "../../drivers/context.ts";
import type { Child } from "../../machine/child.ts";
import type { BootError } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { createWaitNotice } from "../../problems/wait-notice.ts";
import { decodeAnswer, encodeJson, type NfsAnswer, type NfsOrder } from "./order.ts";

/** Orders to the process that mounts, and what is said about the wait. */
export interface Dialogue {
  readonly deadlineMs: number;
  /** Waits for the answer; `silence` says what is the matter if none comes. Throws BootError at the deadline. */
  ask(order: NfsOrder, silence: string): NfsAnswer;
  /** Says what is waited for and what was seen, but not more often than a person reads it. */
  say(seen: string): void;
  /** True if the last order has no answer. */
  isUnanswered(): boolean;
  giveUp(reasons: readonly string[], code: string | null): BootError;
}

const FIRST_NEWS_MS = 3000;
/** A server that has not answered for so long is one that does not answer. */
const SILENCE_MS = 1000;

/** Creates a dialogue that ends `timeoutMs` from now. */
export function createDialogue(
  { machine, voice }: Context,
  child: Child,
  source: string,
  timeoutMs: number | null,
): Dialogue {
  const startMs = machine.nowMs();
  const deadlineMs = startMs + (timeoutMs ?? Number.POSITIVE_INFINITY);
  const notice = createWaitNotice(voice, FIRST_NEWS_MS);
  let newsMs = startMs + FIRST_NEWS_MS;
  let isUnanswered = false;
  const say = (seen: string) => {
    newsMs = machine.nowMs() + notice(source, machine.nowMs() - startMs, timeoutMs, () => printable(seen));
  };
  const giveUp = (reasons: readonly string[], code: string | null) => {
    const seconds = Math.round((machine.nowMs() - startMs) / 1000);
    return problem("nfs-not-mounted", { source, seconds, reasons, code });
  };
  return {
    deadlineMs,
    ask(order, silence) {
      child.order(encodeJson(order));
      isUnanswered = true;
      const silentMs = machine.nowMs() + SILENCE_MS;
      for (;;) {
        const untilMs = Math.min(deadlineMs, Math.max(newsMs, silentMs)) - machine.nowMs();
        const news = child.answer(Math.max(1, Math.ceil(untilMs)));
        if (news.kind === "gone") throw problem("nfs-process-ended", { source, status: news.status });
        if (news.kind === "answer") {
          isUnanswered = false;
          return decodeAnswer(news.bytes);
        }
        if (machine.nowMs() >= deadlineMs) throw giveUp([silence], "ETIMEDOUT");
        say(silence);
      }
    },
    say,
    isUnanswered: () => isUnanswered,
    giveUp,
  };
}
