import type { Machine } from "../../machine/machine.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";

const NOTICE_EVERY_MS = 1000;

/** Returns what is called with the bytes that are done, and says once a second how far they are. */
export function createProgress(
  { machine, voice }: { readonly machine: Pick<Machine, "nowMs">; readonly voice: Pick<Voice, "progress"> },
  what: string,
  bytes: number,
): (done: number) => void {
  let nextMs = machine.nowMs() + NOTICE_EVERY_MS;
  return (done) => {
    if (machine.nowMs() < nextMs) return;
    nextMs = machine.nowMs() + NOTICE_EVERY_MS;
    const percent = Math.floor((done * 100) / bytes);
    voice.progress(`${what}, ${formatBytes(done)} of ${formatBytes(bytes)} (${percent} %)`);
  };
}
