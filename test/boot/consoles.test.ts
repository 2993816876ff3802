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

describe("Enter on another console moves the shell there", () => {
  const CONSOLES = { ...SERIAL, ...SCREEN };
  const shells = ({ journal }: { readonly journal: readonly string[] }) =>
    journal.flatMap((line) => / sh on (\S+)/.exec(line)?.[1] ?? []);
  const press = (...keys: readonly (readonly [atMs: number, text: string])[]): FakeBootOptions => ({
    typing: keys.map(([atMs, text]) => ({ terminal: "/dev/tty1", text, atMs })),
  });

  test("twice; the first time it says where the shell is", () => {
    const result = boot("tty0 ttyS0", CONSOLES, press([9000, "\r"], [12_000, "\r"]));
    expect(shells(result)).toEqual(["/dev/ttyS0", "/dev/tty1"]);
    expect(result.console).toContain("press Enter twice on another console to move it there\n");
    expect(result.screen("/dev/tty1")).toContain("the shell is on ttyS0: press Enter again to end it there");
    expect(result.console).toContain("the shell is on tty0 (the screen)\n");
    expect(result.shells).toBe(1); // the first was hung up before the person did anything in it
  });

  test("and back again", () => {
    const back = { terminal: "/dev/ttyS0", text: "\r\n\r\n", atMs: 20_000 };
    const { typing = [] } = press([9000, "\n\n"]);
    const result = boot("tty0 ttyS0", CONSOLES, { typing: [...typing, back] });
    expect(shells(result)).toEqual(["/dev/ttyS0", "/dev/tty1", "/dev/ttyS0"]);
  });

  test.each([
    ["once", [[9000, "\r"]]],
    [
      "twice, but much later",
      [
        [9000, "\r"],
        [20_000, "\r"],
      ],
    ],
    ["as both characters of one key", [[9000, "\r\n"]]],
    [
      "among other characters",
      [
        [9000, "\r"],
        [9500, "x"],
        [10_000, "\r"],
        [10_500, "a\rb\r"],
      ],
    ],
  ] as const)("not %s", (_, keys) => {
    expect(shells(boot("tty0 ttyS0", CONSOLES, press(...keys)))).toEqual(["/dev/ttyS0"]);
  });

  test("not with rdshell=0, and a shell that does not start there goes back", () => {
    const keys = press([9000, "\r\r"]);
    const none = boot("tty0 ttyS0", CONSOLES, { ...keys, cmdline: `${WRONG} rdshell=0` });
    expect(shells(none)).toEqual([]);
    const before: FakeBootOptions["before"] = (machine) => machine.refuse("runOnTerminal", "on /dev/tty1", "EIO");
    expect(shells(boot("tty0 ttyS0", CONSOLES, { ...keys, before })).at(-1)).toBe("/dev/ttyS0");
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

describe("rd.emergency.after=60", () => {
  const CONSOLES = { ...SERIAL, ...SCREEN };
  /** With these keys on the screen, while the serial line is the last console. */
  const wait = (words: string, ...keys: readonly (readonly [atMs: number, text: string])[]) =>
    boot("tty0 ttyS0", CONSOLES, {
      cmdline: `${WRONG} rd.emergency.after=60 ${words}`,
      typing: keys.map(([atMs, text]) => ({ terminal: "/dev/tty0", text, atMs })),
    });

  test.each(["reboot", "poweroff", "halt"] as const)("waits before rd.emergency=%s", (action) => {
    const { end, endMs, console, shells } = wait(`rd.emergency=${action}`);
    expect({ end, shells }).toEqual({ end: action, shells: 0 });
    expect(console).toContain("in 60 s: press Enter twice for the rescue shell");
    expect(endMs).toBeGreaterThanOrEqual(61_000);
    expect(endMs).toBeLessThan(70_000);
  });

  test("reboots if no other action is asked for", () => {
    expect(wait("").end).toBe("reboot");
  });

  test("Enter, twice, on any console starts the shell; noise, an echo, and what was typed before do not", () => {
    const none = wait(
      "rd.emergency=reboot",
      [500, "\n\n"],
      [20_000, "abc\x03 q\r\n\r\n"],
      [30_000, "\r"],
      [31_000, "x"],
      [32_000, "\r"],
    );
    expect({ end: none.end, shells: none.shells }).toEqual({ end: "reboot", shells: 0 });
    const { end, shells } = wait("rd.emergency=reboot", [20_000, "\r"], [25_000, "\r"]);
    expect({ end, shells }).toEqual({ end: "poweroff", shells: 1 });
  });

  test("with rd.emergency=menu the menu starts if Enter is pressed, and the machine reboots if not", () => {
    const none = wait("rd.emergency=menu");
    expect(none.end).toBe("reboot");
    expect(none.console).toContain("rebooting in 60 s: press Enter twice for the rescue menu");
    expect(none.screen("/dev/tty0")).not.toContain("choose a root");
    const locked = wait("rd.emergency=menu rdshell=0", [20_000, "\r\r"], [25_000, "o\r"]);
    expect({ end: locked.end, shells: locked.shells }).toEqual({ end: "poweroff", shells: 0 });
    expect(locked.screen("/dev/tty0")).toContain("o  power off");
  });

  test("rdshell=0 offers no shell, and Enter gives none", () => {
    const { console, end, shells } = wait("rdshell=0 rd.emergency=reboot", [20_000, "\n"], [21_000, "\n"]);
    expect({ end, shells }).toEqual({ end: "reboot", shells: 0 });
    expect(console).toContain("rdshell=0 allows no shell: rebooting in 60 s (rd.emergency.after=60)");
    expect(console).not.toContain("press Enter");
  });

  test("what cannot be closed or removed takes the shell away, and not the reboot", () => {
    const { end, shells } = boot("tty0 ttyS0", CONSOLES, {
      cmdline: `${WRONG} rd.emergency.after=60`,
      files: { "/etc/cryptsetup-keys.d/a.key": "secret" },
      before: (machine) => machine.refuse("wipeFile", "/etc/cryptsetup-keys.d/a.key", "EROFS"),
      typing: [{ terminal: "/dev/tty0", text: "\r\r", atMs: 20_000 }],
    });
    expect({ end, shells }).toEqual({ end: "reboot", shells: 0 });
  });
});
