import { describe, expect, test } from "bun:test";
import { listConsoles } from "../../../src/prompt/consoles.ts";
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
