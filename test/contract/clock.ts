import { ok } from "node:assert/strict";
import type { ContractCase } from "./case.ts";

const DAY_MS = 86_400_000;
const TOLERANCE_MS = 5000;

export const CLOCK_CASES: readonly ContractCase[] = [
  {
    name: "the time of day can be set, and goes on from there; the other clock does not change",
    check(machine) {
      const [before, startMs] = [machine.timeOfDayMs(), machine.nowMs()];
      try {
        machine.setTimeOfDay(before + DAY_MS);
        const ahead = machine.timeOfDayMs() - before - DAY_MS;
        ok(ahead >= 0 && ahead < TOLERANCE_MS, `${ahead} ms`);
        ok(machine.nowMs() - startMs < TOLERANCE_MS);
      } finally {
        machine.setTimeOfDay(before);
      }
    },
  },
];
