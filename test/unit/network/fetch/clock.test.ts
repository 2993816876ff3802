import { expect, test } from "bun:test";
import { setClock } from "../../../../src/network/fetch/clock.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";

const BUILT_MS = Date.UTC(2026, 10, 29);

test("a clock that is older than levain is set to the time of its build, and no other", () => {
  const machine = fakeMachine();
  const warnings: string[] = [];
  const set = () => setClock(machine, { warn: (text) => warnings.push(text) }, BUILT_MS);
  machine.setTimeOfDay(0);
  set();
  expect(machine.timeOfDayMs()).toBe(BUILT_MS);
  set();
  machine.setTimeOfDay(BUILT_MS + 1000);
  set();
  expect(machine.timeOfDayMs()).toBe(BUILT_MS + 1000);
  expect(warnings).toEqual([
    "the clock shows 1970-01-01, when no certificate is valid: setting it to 2026-11-29, the date of this build",
  ]);
});
