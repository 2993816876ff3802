import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";

// What is said on each console if the machine has more than one.

const MOUNTED = { "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs" };
const SERIAL = { "/ttyS0": { node: "character", number: "4:64" } } as const;
const SCREEN = {
  "/tty0": { node: "character", number: "4:0" },
  "/tty1": { node: "character", number: "4:1" },
} as const;
const FAILURE = 'could not find the root device\n  no device with label "WRONG" appeared within 1 s\n';
const WRONG = "quiet root=LABEL=WRONG rd.timeout=1";

/** A machine with these consoles of the kernel, the one behind /dev/console last. */
function boot(active: string, dev: FakeTree, more: FakeBootOptions = {}) {
  const sys = { "/class/tty/console/active": `${active}\n`, "/class/tty/tty0/active": "tty1\n" };
  const result = fakeBoot({ mounted: MOUNTED, cmdline: WRONG, dev, sys, ...more });
  const shellOn = result.journal.find((line) => / sh on /.test(line))?.split(" on ")[1];
  return { ...result, shellOn, screen: result.machine.terminals.screen };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe("a failure is reported on every console, and each says where the shell is", () => {
  test("the shell on the screen", () => {
    const { console, screen, shellOn } = boot("ttyS0 tty0", { ...SERIAL, ...SCREEN });
    expect(shellOn).toBe("/dev/tty1");
    for (const text of [console, screen("/dev/ttyS0")]) {
      expect(text).toStartWith(`\n${FAILURE}`);
      expect(text).toContain("the shell is on tty0 (the screen): the last console= decides\n");
      expect(count(text, "rescue shell: ")).toBe(1);
    }
    expect(screen("/dev/tty0")).toBe("");
  });

  test("the shell on a serial line", () => {
    const { console, screen, shellOn } = boot("tty0 ttyS0", { ...SERIAL, ...SCREEN });
    expect(shellOn).toBe("/dev/ttyS0");
    expect(screen("/dev/tty0")).toBe(console);
    expect(console).toContain("the shell is on ttyS0: the last console= decides\n");
    expect(screen("/dev/ttyS0")).toBe("");
  });

  test("a screen that no console= names is told too", () => {
    expect(boot("ttyS0", { ...SERIAL, ...SCREEN }).screen("/dev/tty0")).toContain(FAILURE);
  });

  test("two serial lines, and a shell of rd.break=", () => {
    const lines = { ...SERIAL, "/ttyS1": { node: "character", number: "4:65" } } as const;
    const { screen } = boot("ttyS1 ttyS0", lines, { cmdline: `${WRONG} rd.break=root` });
    expect(screen("/dev/ttyS1")).toContain('stopped before the step "root"');
    expect(screen("/dev/ttyS1")).toContain("the shell is on ttyS0: ");
  });

  test("rdshell=0 is said on each, and nothing of a shell", () => {
    const { screen, end } = boot("tty0 ttyS0", { ...SERIAL, ...SCREEN }, { cmdline: `${WRONG} rdshell=0` });
    expect(end).toBe("halt");
    expect(screen("/dev/tty0")).toContain(FAILURE);
    expect(screen("/dev/tty0")).toEndWith("\nrdshell=0 allows no shell: halting now\n");
    expect(screen("/dev/tty0")).not.toContain("the shell is on");
  });
});

test("a single console is not told where the shell is", () => {
  for (const [active, dev] of [
    ["ttyS0", SERIAL],
    ["tty0", SCREEN],
  ] as const) {
    expect(boot(active, dev).console).not.toContain("the shell is on");
  }
});

test("a /dev that cannot be read leaves the console that stage0 has opened", () => {
  const before: FakeBootOptions["before"] = (machine) =>
    machine.refuse("stat", /^stat \/(dev\/tty|sys\/class\/tty)/, "EIO");
  const { console, screen } = boot("ttyS0 tty0", { ...SERIAL, ...SCREEN }, { before });
  expect(console).toContain(FAILURE);
  expect(screen("/dev/ttyS0")).toBe("");
});

test("a console= without its hardware, or console=null: the report and the shell are on the screen, once", () => {
  const dev = { ...SCREEN, "/ttynull": { node: "character", number: "240:0" } } as const;
  const missing = boot("", dev); // stage0 has opened the screen as the console
  expect(missing.shellOn).toBe("/dev/tty1");
  expect(missing.screen("/dev/tty0")).toBe("");
  const nothing = boot("ttynull", dev);
  expect(nothing.shellOn).toBe("/dev/tty1");
  expect(count(nothing.screen("/dev/tty0"), FAILURE)).toBe(1);
});
