import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../src/machine/machine.ts";
import { createHeldTerminals } from "../../../src/prompt/held-terminals.ts";
import { askPassphrase } from "../../../src/prompt/passphrase.ts";
import { errands } from "../../support/errands.ts";
import { type FakeMachine, fakeMachine } from "../../support/fake-machine.ts";
import type { FakeTyping } from "../../support/fake-terminals.ts";

const [SERIAL, SCREEN] = ["/dev/ttyS0", "/dev/tty0"];

function machineWith(...typing: readonly FakeTyping[]): FakeMachine {
  return fakeMachine({
    mounted: { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" },
    sys: { "/class/tty/console/active": "ttyS0\n" },
    dev: { "/tty0": { node: "character", number: "4:0" } },
    typing,
  });
}

const typed = (text: string, atMs: number, terminal = SERIAL) => ({ terminal, text, atMs });

/** Remembers every array of typed bytes that was handed out. */
function watch(machine: FakeMachine): { readonly watched: Machine; readonly read: Uint8Array[] } {
  const read: Uint8Array[] = [];
  const readTerminals: Machine["readTerminals"] = (timeoutMs) => {
    const input = machine.readTerminals(timeoutMs);
    if (input.kind === "typed") read.push(input.bytes);
    return input;
  };
  return { watched: { ...machine, readTerminals }, read };
}

describe("held terminals", () => {
  test("are the consoles and the screen, opened once, and restored at the end", () => {
    const machine = machineWith();
    const terminals = createHeldTerminals(machine);
    expect(terminals.hold()).toEqual([SERIAL, SCREEN]);
    terminals.hold();
    terminals.release();
    terminals.release();
    const changes = machine.journal.filter((line) => line.startsWith("listen"));
    expect(changes).toEqual(["listen to /dev/ttyS0 and /dev/tty0", "listen to no terminal"]);
  });

  test("a drain reads and wipes everything that was typed, and finds Ctrl-C anywhere in it", () => {
    const machine = machineWith(typed("sec", 2000), typed("ret", 2001, SCREEN), typed("more\x03rest", 3000));
    const { watched, read } = watch(machine);
    const terminals = createHeldTerminals(watched);
    terminals.hold();
    machine.sleepMs(2500 - machine.nowMs());
    expect(terminals.drain()).toBeNull();
    expect(read).toHaveLength(2);
    machine.sleepMs(1000);
    expect(terminals.drain()).toBe("cancelled");
    expect(terminals.drain()).toBeNull();
    expect(read).toHaveLength(3);
    for (const bytes of read) expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  test("a drain leaves uevents alone, and reads typing although a uevent waits", () => {
    const machine = machineWith(typed("\x03", 2000));
    machine.listenForDevices();
    const terminals = createHeldTerminals(machine);
    terminals.hold();
    machine.plugIn({ name: "sda" });
    machine.sleepMs(3000);
    expect(terminals.drain()).toBe("cancelled");
    expect(machine.nextDeviceEvent(0)).not.toBeNull();
  });

  test("nothing is read if nothing is held", () => {
    const { watched, read } = watch(machineWith(typed("\x03", 0)));
    const terminals = createHeldTerminals(watched);
    expect(terminals.drain()).toBeNull();
    expect(read).toEqual([]);
  });

  test("the wait for a device ends with the device, Ctrl-C or its timeout, and wipes other typing", () => {
    const machine = machineWith(typed("secret", 2000), typed("\x03", 9000));
    machine.listenForDevices();
    const { watched, read } = watch(machine);
    const terminals = createHeldTerminals(watched);
    terminals.hold();
    const startMs = machine.nowMs();
    expect(terminals.waitForDevice(3000)).toBe("timeout");
    expect(machine.nowMs()).toBe(startMs + 3000);
    machine.plugIn({ name: "sda", arrivesAtMs: 6000 });
    expect(terminals.waitForDevice(60_000)).toBe("device");
    expect(machine.nowMs()).toBe(6000);
    while (machine.nextDeviceEvent(0) !== null);
    expect(terminals.waitForDevice(60_000)).toBe("cancelled");
    expect(machine.nowMs()).toBe(9000);
    for (const bytes of read) expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  test("one that hung up is opened again", () => {
    const machine = machineWith();
    const terminals = createHeldTerminals(machine);
    terminals.hold();
    machine.terminals.hangUp(SERIAL);
    terminals.drain();
    expect(terminals.hold()).toEqual([SCREEN, SERIAL]);
  });

  test("what was typed before a prompt is ignored, and the prompt says so, there and once", () => {
    const machine = machineWith(typed("early\r", 2000), typed("\r\n", 2000, SCREEN), typed("answer\r\n", 5000));
    machine.terminals.type(typed("second\r", 7000));
    const terminals = createHeldTerminals(machine);
    terminals.hold();
    machine.sleepMs(3000);
    const question = { volume: "/dev/vda", triesLeft: 1, keymap: null, timeoutMs: null, lastWasWrong: false };
    const ask = () => {
      const answer = askPassphrase(
        machine,
        terminals,
        question,
        errands(() => false),
      );
      return answer.kind === "passphrase" ? Buffer.from(answer.bytes).toString() : answer.kind;
    };
    expect(ask()).toBe("answer");
    const asked = "  unlock    /dev/vda, the last try\n            passphrase: ";
    const ignored = "            typed before this prompt: ignored\n";
    expect(machine.terminals.screen(SERIAL)).toBe(`${ignored}${asked}(hidden)\n`);
    expect(machine.terminals.screen(SCREEN)).toBe(`${asked}answered on ttyS0\n`);
    expect(ask()).toBe("second");
    expect(machine.terminals.screen(SERIAL).split(ignored)).toHaveLength(2);
  });
});
