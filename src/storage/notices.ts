import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { Voice } from "../problems/voice.ts";
import type { Wait } from "./opener.ts";
import { describeWait, waitText } from "./search-words.ts";

/** A wait longer than this is told, and told again each time it has doubled. */
const FIRST_NOTICE_MS = 1000;

/** Tells of the wait for a device when it has grown long enough, and what is there so far when that is news; returns the milliseconds until it wants to speak again. */
export function createNotice(
  wanted: DeviceSpec,
  timeoutMs: number | null,
  voice: Voice,
  listSeen: () => string,
): (waitedMs: number) => number {
  let noticeMs = FIRST_NOTICE_MS;
  let told: string | null = null;
  return (waitedMs) => {
    if (waitedMs >= noticeMs) {
      const seen = listSeen();
      const news = seen === told ? "" : ` · seen: ${seen}`;
      voice.progress(`${describeWait(wanted, waitedMs, timeoutMs)}${news}`);
      told = seen;
      noticeMs = waitedMs * 2;
    }
    return noticeMs - waitedMs;
  };
}

/** The same for what an opener waits for. */
export function createOpenerNotice(voice: Voice): (wait: Wait, nowMs: number) => number {
  let text: string | null = null;
  let startMs = 0;
  let noticeMs = FIRST_NOTICE_MS;
  return (wait, nowMs) => {
    if (wait.text !== text) [text, startMs, noticeMs] = [wait.text, nowMs, FIRST_NOTICE_MS];
    const waitedMs = nowMs - startMs;
    if (waitedMs >= noticeMs) {
      const limitMs = Number.isFinite(wait.leftMs) ? waitedMs + wait.leftMs : null;
      voice.progress(waitText(wait.text, waitedMs, limitMs));
      noticeMs = waitedMs * 2;
    }
    return noticeMs - waitedMs;
  };
}
