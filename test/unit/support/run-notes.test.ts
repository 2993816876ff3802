import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../support/cache.ts";
import { run } from "../../support/command.ts";
import { COSTS_VARIABLE, noteGuestCost, sumCosts } from "../../support/run-notes.ts";
import { provideTimings } from "../../support/slow-tests.ts";

test("what guests and commands cost is noted and summed, the dearest first", async () => {
  const file = join(scratchDirectory(), "costs");
  const before = process.env[COSTS_VARIABLE];
  process.env[COSTS_VARIABLE] = file;
  try {
    noteGuestCost("a guest\nof two lines", 2_500_000n);
    noteGuestCost("another", 7_000_000n);
    await run(["true", "x".repeat(300)]);
  } finally {
    if (before === undefined) delete process.env[COSTS_VARIABLE];
    else process.env[COSTS_VARIABLE] = before;
  }
  const [sum, programs, first, second, third = ""] = sumCosts(file);
  expect(sum).toBe("10 s for 2 guests, 0 s for 1 commands");
  expect(programs).toBe("by program: true 0 s in 1");
  expect(first).toBe('7.0 s  guest "another"');
  expect(second).toBe('2.5 s  guest "a guest of two lines"');
  expect(third).toMatch(/^\d\.\d s {2}true x+ … x+$/);
  expect(third.length).toBeLessThan(180);
  expect(sumCosts(join(scratchDirectory(), "none"))).toEqual([
    "0 s for 0 guests, 0 s for 0 commands",
    "by program: none",
  ]);
});

test("the slow files are known before the first run, and a run's own timings are kept", () => {
  const file = join(scratchDirectory(), "timings.json");
  provideTimings(file);
  const { version, files } = JSON.parse(readFileSync(file, "utf8"));
  expect(version).toBe(1);
  expect(Object.keys(files).filter((name) => !existsSync(name))).toEqual([]);
  writeFileSync(file, "own");
  provideTimings(file);
  expect(readFileSync(file, "utf8")).toBe("own");
});
