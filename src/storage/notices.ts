import type { Voice } from "../problems/voice.ts";

/** A wait is announced when it is this long, and again each time it has doubled. */
const FIRST_NOTICE_MS = 1000;

/** Says what is waited for and for how long, if it is time to; returns the milliseconds until the next time. `listSeen` returns what was found so far, which is said when it is new. */
export type WaitNotice = (what: string, waitedMs: number, limitMs: number | null, listSeen?: () => string) => number;

/** Makes the notice of one wait after another; each has another `what`. */
export function createWaitNotice(voice: Voice): WaitNotice {
  let current: string | null = null;
  let noticeMs = FIRST_NOTICE_MS;
  let said: string | null = null;
  return (what, waitedMs, limitMs, listSeen) => {
    if (what !== current) [current, noticeMs] = [what, FIRST_NOTICE_MS];
    if (waitedMs >= noticeMs) {
      const seen = listSeen?.() ?? said;
      const news = seen === said ? "" : ` · seen: ${seen}`;
      const limit = limitMs === null ? "" : ` of ${Math.round(limitMs / 1000)}`;
      voice.progress(`waiting for ${what}, ${Math.round(waitedMs / 1000)}${limit} s${news}`);
      said = seen;
      noticeMs = waitedMs * 2;
    }
    return noticeMs - waitedMs;
  };
}
