import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Machine } from "../../../src/machine/machine.ts";
import { BootError } from "../../../src/problems/errors.ts";
import { createHeldTerminals } from "../../../src/prompt/held-terminals.ts";
import { type Answer, askPassphrase } from "../../../src/prompt/passphrase.ts";
import type { Question } from "../../../src/prompt/passphrase-question.ts";
import { errands } from "../../support/errands.ts";
import { type FakeMachine, fakeMachine } from "../../support/fake-machine.ts";
import type { FakeTyping } from "../../support/fake-terminals.ts";
import { rememberArrays } from "../../support/remembered-arrays.ts";

const QUESTION: Question = {
  volume: '/dev/vda2 (LUKS2, "secret") as root',
  triesLeft: 4,
  keymap: null,
  timeoutMs: null,
  lastWasWrong: false,
};
const FIRST_LINES = '  unlock    /dev/vda2 (LUKS2, "secret") as root, 4 tries left\n            passphrase: ';

const [SERIAL, SCREEN] = ["/dev/ttyS0", "/dev/tty0"];

/** A machine with a serial line and a screen on which people type. */
function machineWith(...typing: readonly FakeTyping[]): FakeMachine {
  return fakeMachine({
    mounted: { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" },
    sys: { "/class/tty/console/active": "ttyS0\n" },
    dev: { "/tty0": { node: "character", number: "4:0" } },
    typing,
  });
}

function ask(machine: Machine, more: Partial<Question> = {}, onDeviceEvent = () => false) {
  const answer = askPassphrase(machine, createHeldTerminals(machine), { ...QUESTION, ...more }, errands(onDeviceEvent));
  return answer.kind === "passphrase" ? Buffer.from(answer.bytes).toString() : answer.kind;
}

const onBoth = (machine: FakeMachine) => [machine.terminals.screen(SERIAL), machine.terminals.screen(SCREEN)];

describe("askPassphrase", () => {
  test("asks on every console, takes the first answer, and says so on the others; the answer is not shown", () => {
    const machine = machineWith({ terminal: SCREEN, text: "sesam\r" });
    expect(ask(machine)).toBe("sesam");
    expect(onBoth(machine)).toEqual([`${FIRST_LINES}answered on tty0\n`, `${FIRST_LINES}(hidden)\n`]);
    expect(machine.journal.at(-1)).toBe("listen to /dev/ttyS0 and /dev/tty0"); // it stays silent
  });

  test("says how many tries are left, the keymap, and that the last answer was wrong", () => {
    const machine = machineWith({ terminal: SERIAL, text: "a\r" });
    ask(machine, { triesLeft: 1, keymap: "de-\x1blatin1", lastWasWrong: true });
    expect(machine.terminals.screen(SERIAL)).toBe(
      "            wrong passphrase\n" +
        '  unlock    /dev/vda2 (LUKS2, "secret") as root, the last try, keymap\n            de-\\x1blatin1\n' +
        "            passphrase: (hidden)\n",
    );
    const asLongAsItTakes = machineWith({ terminal: SERIAL, text: "a\r" });
    ask(asLongAsItTakes, { triesLeft: null });
    expect(asLongAsItTakes.terminals.screen(SERIAL)).toContain("as root\n");
  });

  test("what is typed on one console is not mixed with what is typed on another", () => {
    const machine = machineWith(
      { terminal: SERIAL, text: "ser", atMs: 2000 },
      { terminal: SCREEN, text: "screen", atMs: 3000 },
      { terminal: SERIAL, text: "ial\r", atMs: 4000 },
    );
    expect(ask(machine)).toBe("serial");
    expect(onBoth(machine)).toEqual([`${FIRST_LINES}(hidden)\n`, `${FIRST_LINES}(hidden) answered on ttyS0\n`]);
  });

  test("shows that something is typed, but not how much; nothing after all of it is erased", () => {
    const machine = machineWith(
      { terminal: SERIAL, text: "a", atMs: 2000 },
      { terminal: SERIAL, text: "bcd", atMs: 3000 },
      { terminal: SERIAL, text: "\x15", atMs: 4000 },
      { terminal: SERIAL, text: "\x7f", atMs: 5000 },
      { terminal: SERIAL, text: "\r", atMs: 6000 },
    );
    expect(ask(machine)).toBe("");
    const gone = `${"\b".repeat(8)}${" ".repeat(8)}${"\b".repeat(8)}`;
    expect(machine.terminals.screen(SERIAL)).toBe(`${FIRST_LINES}(hidden)${gone}\x07\n`);
  });

  test("more than 512 bytes are refused with a message, and can be typed again", () => {
    const machine = machineWith(
      { terminal: SERIAL, text: `${"x".repeat(513)}\r`, atMs: 2000 },
      { terminal: SERIAL, text: "short\r", atMs: 3000 },
    );
    expect(ask(machine)).toBe("short");
    expect(machine.terminals.screen(SERIAL)).toBe(
      `${FIRST_LINES}\x07longer than 512 bytes: ignored\n            passphrase: (hidden)\n`,
    );
  });

  test("what is typed before the prompt, or after Enter, is ignored", () => {
    const machine = machineWith({ terminal: SERIAL, text: "early", atMs: 500 });
    machine.terminals.type({ terminal: SERIAL, text: "one\rpasted\r", atMs: 2000 });
    expect(ask(machine)).toBe("one");
    machine.terminals.type({ terminal: SERIAL, text: "two\r", atMs: 4000 });
    expect(ask(machine)).toBe("two");
  });

  test("only the answer is left in memory", () => {
    rememberArrays((remembered) => {
      const machine = machineWith(
        { terminal: SCREEN, text: "half", atMs: 2000 },
        { terminal: SERIAL, text: "sesame\x7fX\r", atMs: 3000 },
      );
      const before = remembered.length;
      expect(ask(machine)).toBe("sesamX");
      const left = remembered.slice(before).map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll("\0", ""));
      expect(left.filter((text) => /hal|ses/.test(text))).toEqual(["sesamX"]);
      expect(left.length).toBeGreaterThan(2);
    });
  });

  test("Ctrl-C cancels, and every console says so", () => {
    const machine = machineWith({ terminal: SERIAL, text: "abc\x03" });
    expect(ask(machine)).toBe("cancelled");
    expect(onBoth(machine)).toEqual([
      `${FIRST_LINES}(hidden) cancelled on ttyS0\n`,
      `${FIRST_LINES}cancelled on ttyS0\n`,
    ]);
  });

  test("every key restarts the timeout", () => {
    const machine = machineWith({ terminal: SERIAL, text: "a", atMs: 8000 });
    const startMs = machine.nowMs();
    expect(startMs).toBeLessThan(8000);
    expect(ask(machine, { timeoutMs: 10_000 })).toBe("timeout");
    expect(machine.nowMs()).toBe(18_000);
    expect(onBoth(machine)).toEqual([`${FIRST_LINES}(hidden) timed out\n`, `${FIRST_LINES}timed out\n`]);
  });

  test("uevents are handled meanwhile, their messages get lines of their own, and the prompt is shown again", () => {
    const machine = machineWith({ terminal: SERIAL, text: "abc\r", atMs: 9000 });
    machine.listenForDevices();
    machine.plugIn({ name: "sda", arrivesAtMs: 5000 });
    const screens: string[] = [];
    const handle = () => {
      screens.push(machine.terminals.screen(SERIAL));
      while (machine.nextDeviceEvent(0) !== null);
      return false;
    };
    expect(ask(machine, {}, handle)).toBe("abc");
    expect(screens).toEqual([`${FIRST_LINES}\r${" ".repeat(24)}\r`]);
    expect(machine.terminals.screen(SERIAL)).toBe(`${screens[0]}            passphrase: (hidden)\n`);
  });

  test("a question that a uevent settles is no longer asked", () => {
    const machine = machineWith({ terminal: SERIAL, text: "ab", atMs: 2000 });
    machine.listenForDevices();
    machine.plugIn({ name: "sda", arrivesAtMs: 5000 });
    expect(ask(machine, {}, () => machine.nextDeviceEvent(0) !== null)).toBe("interrupted");
    expect(machine.nowMs()).toBe(5000);
    expect(machine.terminals.screen(SERIAL)).toEndWith("passphrase: (hidden) no longer needed\n");
  });

  /** The serial line hangs up when something is typed on it. */
  const hangingUp = (machine: FakeMachine): Machine => ({
    ...machine,
    readTerminals(timeoutMs) {
      const input = machine.readTerminals(timeoutMs);
      if (input.kind === "typed" && machine.nowMs() === 2000) machine.terminals.hangUp(SERIAL);
      return input;
    },
  });

  test("a console that hung up is asked again within a second, and earlier typing on it is forgotten", () => {
    const machine = machineWith({ terminal: SERIAL, text: "lost", atMs: 2000 });
    machine.terminals.type({ terminal: SERIAL, text: "found\r", atMs: 3001 });
    expect(ask(hangingUp(machine))).toBe("found");
    expect(onBoth(machine)).toEqual([`${FIRST_LINES}${FIRST_LINES}(hidden)\n`, `${FIRST_LINES}answered on ttyS0\n`]);
  });

  test("if it does not come back, the question times out", () => {
    const machine = machineWith({ terminal: SERIAL, text: "lost", atMs: 2000 });
    const gone = { ...hangingUp(machine), openTerminals: (nodes: readonly string[]) => openBefore(machine, nodes) };
    expect(ask(gone, { timeoutMs: 5000 })).toBe("timeout");
    expect(machine.nowMs()).toBe(7000);
  });

  /** What cannot be opened after two seconds. */
  function openBefore(machine: FakeMachine, nodes: readonly string[]): readonly string[] {
    return machine.openTerminals(machine.nowMs() < 2000 ? nodes : nodes.filter((node) => node !== SERIAL));
  }

  test("a console that cannot be opened is skipped, and no console at all is an error with hints", () => {
    const [none] = [fakeMachine({ sys: { "/class/tty/console/active": "lp0\n" } })];
    none.makeDirectory("/sys");
    const blind = { ...none, openTerminals: () => [] };
    expect(() => ask(blind)).toThrow(BootError);
    try {
      ask(blind);
    } catch (error) {
      expect(error).toMatchObject({
        seen: ["/dev/console: cannot be opened"],
        hints: [{ needs: "boot loader" }, { text: "use a key file (rd.luks.key=)", needs: "boot loader" }],
      });
    }
  });

  test("an error while uevents are handled leaves the prompt at the start of a line", () => {
    const machine = machineWith();
    machine.listenForDevices();
    machine.plugIn({ name: "sda" });
    const fail = () => {
      throw new BootError("no");
    };
    expect(() => ask(machine, {}, fail)).toThrow("no");
    expect(machine.terminals.screen(SERIAL)).toEndWith("\r");
  });

  test("any typing on any console ends in an answer or goes on, at the start of a line, and what was read is wiped", () => {
    const typing = fc.array(
      fc.record({ terminal: fc.constantFrom(SERIAL, SCREEN), text: fc.uint8Array({ maxLength: 30 }) }),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(typing, (given) => {
        const machine = machineWith(...given.map((one, index) => ({ ...one, atMs: 2000 + index })));
        const read: Uint8Array[] = [];
        const watched = {
          ...machine,
          readTerminals(timeoutMs: number | null) {
            const input = machine.readTerminals(timeoutMs);
            if (input.kind === "typed") read.push(input.bytes);
            return input;
          },
        };
        const answer: Answer = askPassphrase(
          watched,
          createHeldTerminals(watched),
          { ...QUESTION, timeoutMs: 60_000 },
          errands(() => false),
        );
        expect(["passphrase", "cancelled", "timeout"]).toContain(answer.kind);
        for (const bytes of read) expect(bytes.every((byte) => byte === 0)).toBe(true);
        for (const screen of onBoth(machine)) expect(screen).toEndWith("\n");
      }),
    );
  });
});
