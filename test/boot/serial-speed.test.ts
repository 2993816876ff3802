import { expect, test } from "bun:test";
import { fakeBoot } from "../support/fake-boot.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

// A serial console that may have another speed than the terminal at its other end.

/** ACPI's SPCR with this byte for the speed, for the port at 0x3f8. */
function spcr(speed: number): Uint8Array {
  const table = new Uint8Array(80);
  table.set([0x53, 0x50, 0x43, 0x52]);
  table.set([1, 8, 0, 0, 0xf8, 3], 40);
  table[58] = speed;
  return table;
}

/** The report of a boot with these counters of the first UART. */
function reportOf(words: string, counters: string, speed = 0): string {
  const sys = speed === 0 ? {} : { "/firmware/acpi/tables/SPCR": spcr(speed) };
  const uarts = `serinfo:1.0 driver revision:\n0: uart:16550A port:000003F8 irq:4 ${counters}\n1: uart:unknown port:000002F8 irq:3\n`;
  const before = (machine: FakeMachine) => {
    const { readFile } = machine;
    Object.assign(machine, {
      readFile: (path: string) => (path === "/proc/tty/driver/serial" ? Buffer.from(uarts) : readFile(path)),
    });
  };
  const { record } = fakeBoot({ cmdline: `root=LABEL=X rd.timeout=1 ${words}`, sys, before });
  return (record.failure ?? []).join(" ").replaceAll(/\s+/g, " ");
}

const FAULT = "the console ttyS0 may have another speed than the terminal at its other end";

test("the firmware's console has another speed", () => {
  const report = reportOf("console=ttyS0", "tx:99 rx:0 RTS|DTR", 7);
  expect(report).toContain(`${FAULT} the kernel command line gives it 9600 baud, and the firmware uses 115200`);
  expect(report).toContain(
    "hint: give the speed of the terminal: console=ttyS0,115200, or set the terminal to 9600 baud",
  );
});

test("most of what was typed came with framing errors", () => {
  const report = reportOf("console=ttyS0,57600n8", "tx:99 rx:9 fe:7 RTS|DTR");
  expect(report).toContain(`${FAULT} 7 of 9 characters had framing errors at 57600 baud`);
  expect(report).toContain("console=ttyS0,SPEED");
});

test.each([
  ["the same speed", "console=ttyS0,115200n8", "tx:9 rx:0", 7],
  ["the first of two, as the kernel has it", "console=ttyS0,115200 console=ttyS0", "tx:9 rx:0", 7],
  ["a firmware that leaves the speed as it is", "console=ttyS0", "tx:9 rx:0", 0],
  ["another console", "console=tty0 console=ttyS1", "tx:9 rx:9 fe:9", 7],
  ["some noise", "console=ttyS0", "tx:9 rx:90 fe:5", 0],
  ["one error", "console=ttyS0", "tx:9 rx:1 fe:1", 0],
] as const)("nothing is said of %s", (_, words, counters, speed) => {
  expect(reportOf(words, counters, speed)).not.toContain("speed");
});
