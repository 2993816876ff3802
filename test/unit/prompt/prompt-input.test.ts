import { expect, test } from "bun:test";
import type { Machine } from "../../../src/machine/machine.ts";
import type { TerminalInput } from "../../../src/machine/terminals.ts";
import { createPromptInput } from "../../../src/prompt/prompt-input.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

/** A machine whose terminals return these inputs in turn, and then nothing; notes how long each was waited for. */
function machineWith(inputs: TerminalInput[], waits: (number | null)[] = []): Machine {
  return {
    ...fakeMachine(),
    readTerminals(timeoutMs) {
      waits.push(timeoutMs);
      return inputs.shift() ?? { kind: "timeout" };
    },
  };
}

const IDLE = { leftMs: Number.POSITIVE_INFINITY, hasMoved: false, hasNews: false };
const MOVED = { ...IDLE, hasMoved: true };

test("the answer for a driver that is loaded meanwhile is nothing for the prompt; the next key is", () => {
  const typed: TerminalInput = { kind: "typed", terminal: "/dev/ttyS0", bytes: new Uint8Array([97]) };
  const states = [IDLE, MOVED, MOVED, IDLE];
  const next = createPromptInput(
    machineWith([{ kind: "answer" }, { kind: "answer" }, typed]),
    () => states.shift() ?? IDLE,
  );
  expect(next(null, null)).toBe(typed);
  expect(states).toEqual([IDLE]);
});

test("an answer that is for no driver is that of a disk, so it counts as a uevent", () => {
  const next = createPromptInput(machineWith([{ kind: "answer" }]), () => IDLE);
  expect(next(null, null)).toEqual({ kind: "device" });
});

test("what a driver has to say counts as a uevent, before the next wait", () => {
  const waits: (number | null)[] = [];
  const next = createPromptInput(machineWith([], waits), () => ({ ...MOVED, hasNews: true }));
  expect(next(null, null)).toEqual({ kind: "device" });
  expect(waits).toEqual([]);
});

test("a driver that takes long ends the wait when it is not waited for any longer, but neither the prompt's timeout nor a lost terminal's second", () => {
  const waits: (number | null)[] = [];
  const lefts = [5000, Number.POSITIVE_INFINITY];
  const inputs: TerminalInput[] = [{ kind: "timeout" }, { kind: "timeout" }];
  const next = createPromptInput(machineWith(inputs, waits), () => ({ ...IDLE, leftMs: lefts.shift() ?? 0 }));
  expect(next(60_000, null)).toEqual({ kind: "timeout" });
  expect(waits).toEqual([5000, 59_000]);
});
