import type { Voice } from "./voice.ts";

/** A wait is announced when it is this long, and then each time it has doubled. */
const NOTICES_MS = [1000, 2000, 5000];
/** From here on also with `quiet`: with a black screen, the user should learn what the boot waits for. */
const URGENT_MS = 5000;

/** Makes the notice of one wait after another, each with another `what`, the first after `firstMs`. It says for how long, if it is time to, and what was found if that is new; returns the milliseconds until the next time. */
export function createWaitNotice(voice: Voice, firstMs = NOTICES_MS[0] ?? 0) {
  let current: string | null = null;
  let noticeMs = 0;
  let said: string | null = null;
  let wasUrgent = false;
  return (what: string, waitedMs: number, limitMs: number | null, listSeen?: () => string): number => {
    if (what !== current) [current, noticeMs, wasUrgent] = [what, firstMs, false];
    if (waitedMs >= noticeMs) {
      const isUrgent = waitedMs >= URGENT_MS;
      const seen = listSeen?.() ?? said;
      // With `quiet` the first urgent line is the first that is shown.
      const isNews = seen !== said || (isUrgent && !wasUrgent);
      const news = isNews && seen !== null ? ` · seen: ${seen}` : "";
      const limit = limitMs === null ? "" : ` of ${seconds(limitMs)}`;
      voice.progress(`waiting for ${what}, ${seconds(waitedMs)}${limit} s${news}`, { isUrgent });
      said = seen;
      wasUrgent = isUrgent;
      noticeMs = nextNoticeMs(waitedMs);
    }
    return noticeMs - waitedMs;
  };
}

/** The first notice may come late, after a module that took long to load: the next one must not name the same second. */
function nextNoticeMs(waitedMs: number): number {
  return NOTICES_MS.find((ms) => seconds(ms) > seconds(waitedMs)) ?? waitedMs * 2;
}

const seconds = (ms: number) => Math.round(ms / 1000);
