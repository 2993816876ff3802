import { expect, test } from "bun:test";
import type { Voice } from "../../../src/problems/voice.ts";
import { createWaitNotice } from "../../../src/problems/wait-notice.ts";

/** Asks for a notice at these times, and returns the lines. */
function noticesAt(...timesMs: readonly number[]): readonly string[] {
  const lines: string[] = [];
  const voice: Voice = { warn: () => undefined, debug: () => undefined, progress: (line) => void lines.push(line) };
  const notice = createWaitNotice(voice);
  for (const ms of timesMs) notice("/dev/nbd0", ms, 8000);
  return lines;
}

test("a wait is announced after 1, 2 and 5 s, and then each time it has doubled", () => {
  const everySecond = Array.from({ length: 21 }, (_, second) => second * 1000);
  const announced = noticesAt(...everySecond).map((line) => /, (\d+) of 8 s/.exec(line)?.[1]);
  expect(announced).toEqual(["1", "2", "5", "10", "20"]);
});

test("a first notice that comes late is not repeated within the same second", () => {
  expect(noticesAt(1600, 2000, 2100, 5000)).toEqual([
    "waiting for /dev/nbd0, 2 of 8 s",
    "waiting for /dev/nbd0, 5 of 8 s",
  ]);
});
