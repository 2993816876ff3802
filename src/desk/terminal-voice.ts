import type { Voice } from "../problems/voice.ts";

const QUIET_MS = 1000;

/** Prints each warning on a line; after a second also progress, on one line that is written over, and only on a terminal, which `close` clears. */
export function createTerminalVoice(
  stream: { isTTY?: boolean; write(text: string): unknown },
  now = performance.now.bind(performance),
): Voice & { close(): void } {
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
    debug: () => undefined, // commands have no rd.debug
    progress: (text) => {
      if (!stream.isTTY || text === shown || now() - startMs < QUIET_MS) return;
      stream.write(`\r\u001b[K${text}`);
      shown = text;
    },
    close: clear,
  };
}
