import { describe, expect, test } from "bun:test";
import { listConsoles, listReportConsoles, listShellTerminals } from "../../../src/log/consoles.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const TTY0 = { "/tty0": { node: "character", number: "4:0" } } as const;
const MOUNTED = { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" };

function consoles(active: string, dev = {}, sys: Readonly<Record<string, string>> = {}) {
  return listConsoles(fakeMachine({ mounted: MOUNTED, dev, sys: { "/class/tty/console/active": active, ...sys } }));
}

describe("listConsoles", () => {
  test("a serial line alone, on a kernel without virtual terminals", () => {
    expect(consoles("ttyS0\n")).toEqual(["/dev/ttyS0"]);
  });

  test("also the foreground virtual terminal, if only a serial line is named", () => {
    expect(consoles("ttyS0\n", TTY0)).toEqual(["/dev/ttyS0", "/dev/tty0"]);
  });

  test("virtual terminals alone", () => {
    expect(consoles("tty0\n", TTY0)).toEqual(["/dev/tty0"]);
  });

  test("each of several, the foreground one only once although it has two names", () => {
    const dev = {
      ...TTY0,
      "/tty1": { node: "character", number: "4:1" },
      "/hvc0": { node: "character", number: "229:0" },
    };
    expect(consoles("tty1 ttyS0 hvc0\n", dev, { "/class/tty/tty0/active": "tty1\n" })).toEqual([
      "/dev/tty0",
      "/dev/ttyS0",
      "/dev/hvc0",
    ]);
  });

  test("consoles without a node and invalid names are left out", () => {
    expect(consoles("ttyUSB0 ../dev/null ttyS0\n")).toEqual(["/dev/ttyS0"]);
  });

  test("/dev/console if no console is known", () => {
    expect(listConsoles(fakeMachine())).toEqual(["/dev/console"]);
    expect(consoles("ttyAMA0\n")).toEqual(["/dev/console"]);
  });
});

const TTY1 = { "/tty1": { node: "character", number: "4:1" } } as const;
const SERIAL = { "/ttyS0": { node: "character", number: "4:64" } } as const;
const machine = (active: string, dev = {}) =>
  fakeMachine({
    mounted: MOUNTED,
    dev,
    sys: { "/class/tty/console/active": active, "/class/tty/tty0/active": "tty1\n" },
  });

describe("listReportConsoles", () => {
  test.each([
    ["ttyS0 tty0\n", ["/dev/ttyS0", "/dev/tty0"], []],
    ["tty0 ttyS0\n", ["/dev/tty0", "/dev/ttyS0"], []],
    ["tty1 ttyS0\n", ["/dev/tty0", "/dev/ttyS0"], []],
    ["ttyS0\n", ["/dev/ttyS0", "/dev/tty0"], ["/dev/tty0"]],
    ["ttynull\n", [null, "/dev/tty0"], ["/dev/tty0"]],
    ["ttyS0 ttyS7\n", [null, "/dev/ttyS0", "/dev/tty0"], ["/dev/tty0"]],
    ["\n", ["/dev/tty0"], ["/dev/tty0"]],
  ])("%j: each once, also if the kernel shows the text itself", (active, all, besideKernel) => {
    const made = machine(active, { ...TTY0, ...TTY1, ...SERIAL });
    expect(listReportConsoles(made, { shownByKernel: false })).toEqual(all);
    expect(listReportConsoles(made, { shownByKernel: true })).toEqual(besideKernel);
  });

  test("only stage0's descriptor without /sys, or if the console has no node", () => {
    expect(listReportConsoles(fakeMachine({ dev: TTY0 }), { shownByKernel: false })).toEqual([null]);
    expect(listReportConsoles(fakeMachine({ dev: TTY0 }), { shownByKernel: true })).toEqual([]);
    expect(listReportConsoles(machine("ttyAMA0\n"), { shownByKernel: false })).toEqual([null]);
  });
});

describe("listShellTerminals", () => {
  test.each([
    ["ttyS0 tty0\n", ["/dev/tty1", "/dev/console", "/dev/ttyS0"]],
    ["tty0 ttyS0\n", ["/dev/ttyS0", "/dev/console", "/dev/tty1"]],
    ["tty1\n", ["/dev/tty1", "/dev/console"]],
    ["ttynull\n", ["/dev/tty1", "/dev/console"]],
    ["\n", ["/dev/tty1", "/dev/console"]],
  ])("%j: the last console first, and the screen in any case", (active, terminals) => {
    expect(listShellTerminals(machine(active, { ...TTY0, ...TTY1, ...SERIAL }))).toEqual(terminals);
  });

  test("/dev/console without /sys, and on a kernel without virtual terminals", () => {
    expect(listShellTerminals(fakeMachine({ dev: TTY0 }))[0]).toBe("/dev/console");
    expect(listShellTerminals(machine("\n"))).toEqual(["/dev/console"]);
  });
});
