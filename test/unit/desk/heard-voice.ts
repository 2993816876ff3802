import type { Voice } from "../../../src/problems/voice.ts";

export interface HeardVoice extends Voice {
  readonly warnings: string[];
  readonly progressed: string[];
}

export function listenToVoice(): HeardVoice {
  const warnings: string[] = [];
  const progressed: string[] = [];
  return {
    warnings,
    progressed,
    warn: (text) => void warnings.push(text),
    debug: () => undefined,
    progress: (text) => void progressed.push(text),
  };
}
