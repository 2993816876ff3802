import type { Received } from "./received.ts";

/** The least that a server must send in a time: one that sends a byte now and then would hold a boot for days. */
export interface Pace {
  readonly bytes: number;
  readonly ms: number;
}

/** 1 KiB/s over a minute: less than any network on which a machine boots. */
export const SLOWEST: Pace = { bytes: 60 << 10, ms: 60_000 };

/** Looks at the end of each span of time whether enough has come in it, and calls `giveUp` otherwise. */
export function watchPace(received: Received, { bytes, ms }: Pace, giveUp: () => void) {
  let before = received.bytes;
  let isSlow = false;
  const timer = setInterval(() => {
    // A file that begins again has less than before.
    const came = received.bytes < before ? received.bytes : received.bytes - before;
    before = received.bytes;
    if (came >= bytes) return;
    isSlow = true;
    giveUp();
  }, ms);
  return { isSlow: () => isSlow, stop: () => clearInterval(timer) };
}
