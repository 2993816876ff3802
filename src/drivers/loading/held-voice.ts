import type { Voice } from "../../problems/voice.ts";

/** A voice that keeps its messages while a prompt stands on the console. */
export interface HeldVoice {
  readonly voice: Voice;
  /** Does `act`; its messages are kept. */
  hold<T>(act: () => T): T;
  /** True if something is kept that is not only for rd.debug. */
  hasNews(): boolean;
  /** Says what was kept. */
  say(): void;
}

/** Creates it; the messages keep their order. */
export function createHeldVoice(voice: Voice): HeldVoice {
  let kept: (() => void)[] = [];
  let hasNews = false;
  let isHeld = false;
  const say = () => {
    const all = kept;
    kept = [];
    hasNews = false;
    for (const tell of all) tell();
  };
  const speak = (tell: () => void) => {
    kept.push(tell);
    if (!isHeld) say();
  };
  return {
    voice: {
      warn(text) {
        hasNews = true;
        speak(() => voice.warn(text));
      },
      debug: (text) => speak(() => voice.debug(text)),
      progress(text, options) {
        hasNews = true;
        speak(() => voice.progress(text, options));
      },
    },
    hold(act) {
      isHeld = true;
      try {
        return act();
      } finally {
        isHeld = false;
      }
    },
    hasNews: () => hasNews,
    say,
  };
}
