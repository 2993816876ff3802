import type { Voice } from "../problems/voice.ts";

/** A Voice that speaks on a desk's terminal; `close` clears a progress line that is still there. */
export interface DeskVoice extends Voice {
  close(): void;
}

const QUIET_MS = 1000;

/** Warnings a line each. Progress, of what takes more than a second, on one line that is written over; nothing of it in a file or pipe. */
export function createDeskVoice(
  stream: { isTTY?: boolean; write(text: string): unknown },
  now = performance.now.bind(performance),
): DeskVoice {
  const startMs = now();
  let shown = "";
  const clear = () => {
    if (shown !== "") stream.write("\r\u001b[K");
    shown = "";
  };
  return {
    warn: (text) => {
      clear();
      stream.write(`warning: ${text}\n`);
    },
    debug: () => {
      // A desk has no rd.debug: what matters is in the summary.
    },
    progress: (text) => {
      if (!stream.isTTY || text === shown || now() - startMs < QUIET_MS) return;
      stream.write(`\r\u001b[K${text}`);
      shown = text;
    },
    close: clear,
  };
}
