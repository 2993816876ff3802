import { describe, expect, test } from "bun:test";
import { createRecord, saveRecord } from "../../src/log/boot-record.ts";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { describeStatus } from "../../src/rescue/commands/status.ts";
import { ELF, type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeMachine } from "../support/fake-machine.ts";

// An initramfs that is the final system: why there is a shell, and how a boot begins from it.

const APPLETS = { "/sbin/init": { link: "../bin/busybox" }, "/bin/sh": { link: "busybox" } } as const;
const WHY = "no root= on the kernel command line: a shell of the initramfs starts\n";
const RETRY = "hint: boot a root with `levain retry root=LABEL=NAME`, add root=LABEL=NAME in";

const boot = (cmdline: string, files: FakeTree = {}, more: FakeBootOptions = {}) =>
  fakeBoot({ cmdline, files: { ...APPLETS, ...files }, ...more });

describe("without root=", () => {
  test.each(["", "quiet"])("one report says why there is a shell and what to add (%j)", (cmdline) => {
    const { console, end } = boot(cmdline);
    expect(end).toMatchObject({ mode: "stay", init: "/sbin/init" });
    expect(console).toContain(`\n${WHY}${RETRY}`);
    expect(console.split(WHY)).toHaveLength(2);
  });

  test("so does a shell that is process 1, which cannot start the boot again", () => {
    const { console, end } = boot("quiet", {}, { cmdline: "quiet init=/bin/sh" });
    expect(end).toMatchObject({ init: "/bin/sh" });
    expect(console).toContain(`${WHY}hint: add root=LABEL=NAME in the boot loader, or `);
    expect(console).not.toContain("levain retry");
  });

  test.each([
    ["root=/dev/ram0", {}],
    ["rd.handover=stay", {}],
    ["", { "/sbin/init": { data: ELF, mode: 0o755 } }],
    ["", { "/etc/inittab": "::respawn:/sbin/getty 9600 tty1\n" }],
  ])("nothing is said if that is asked for, or if no shell starts: %j, %j", (cmdline, files) => {
    const { console, end } = boot(`quiet ${cmdline}`, files as FakeTree);
    expect(end).toMatchObject({ mode: "stay" });
    expect(console).toBe("");
  });

  test("rdshell=0 is still a failure, and no shell starts", () => {
    const { console, end } = boot("rdshell=0");
    expect(end).toBe("halt");
    expect(console).not.toContain(WHY);
  });

  test("an image without an inittab gets one, so that BusyBox's init runs no /etc/init.d/rcS; another is left alone", () => {
    const written = (made: ReturnType<typeof boot>) => made.journal.includes("write /etc/inittab");
    expect(written(boot(""))).toBe(true);
    expect(written(boot("", { "/etc/inittab": "::respawn:-/bin/sh\n" }))).toBe(false);
    expect(written(boot("init=/bin/sh"))).toBe(false);
  });

  test("`levain` is on the path, also in an image of another builder", () => {
    expect(boot("").journal).toContain("link /bin/levain to /init");
    expect(boot("", { "/usr/bin/levain": { link: "/init" } }).journal).not.toContain("link /bin/levain to /init");
  });

  test("a read-only initramfs boots with a warning", () => {
    const before: FakeBootOptions["before"] = (machine) => machine.refuse("writeFile", "/etc/inittab", "EROFS");
    const { end, console } = boot("", {}, { before });
    expect(end).toMatchObject({ mode: "stay" });
    expect(console).toContain("could not write /etc/inittab: the filesystem is read-only (EROFS)");
    expect(console).not.toContain("levain retry");
  });
});

describe("`levain retry` in an initramfs that is the final system", () => {
  const INITTAB = "# ::restart:/x\n::respawn:-/bin/sh\n::restart:/init\n";
  const STAY = { init: "/sbin/init", self: "/init", consoleLevel: "7" };
  const machineWith = (files: FakeTree, stay = STAY) =>
    fakeMachine({
      cmdline: "quiet",
      files: {
        "/bin/busybox": { data: ELF, mode: 0o755 },
        ...APPLETS,
        "/etc/inittab": INITTAB,
        "/run/levain/stay.json": JSON.stringify(stay),
        ...files,
      },
    });

  test("makes process 1 start the boot again, with its parameters", () => {
    const machine = machineWith({});
    retryBoot(machine, ["root=LABEL=ROOT", "rw"]);
    expect(machine.journal).toEqual(["write /run/levain/retry.json", "restart process 1"]);
    expect(JSON.parse(Buffer.from(machine.readFile("/run/levain/retry.json")).toString())).toEqual([
      "root=LABEL=ROOT",
      "rw",
    ]);
  });

  test("is named by `levain status`, if process 1 can start the boot again", () => {
    const status = (files: FakeTree) => {
      const machine = machineWith(files);
      saveRecord(machine, { ...createRecord("0"), state: "handed over" });
      return describeStatus(machine)?.slice(-2);
    };
    const handedOver = "The boot has handed over to the real init.";
    expect(status({})).toEqual([handedOver, "  levain retry root=LABEL=NAME  boots a root from this initramfs"]);
    expect(status({ "/etc/inittab": "::respawn:-/bin/sh\n" })?.at(-1)).toBe(handedOver);
  });

  test.each<[string, FakeTree, readonly string[], string]>([
    ["no root", {}, ["rw"], "no root to boot"],
    ["nothing", {}, [], "no root to boot"],
    ["a mistake", {}, ["root=nonsense"], "a mistake in the parameters of levain retry"],
    ["an unknown parameter", {}, ["rot=LABEL=X"], "unknown parameter rot"],
    [
      "an inittab without restart",
      { "/etc/inittab": "::respawn:-/bin/sh\n" },
      ["root=LABEL=X"],
      "cannot start the boot again",
    ],
    [
      "another program first",
      { "/etc/inittab": `::restart:/sbin/init\n${INITTAB}` },
      ["root=LABEL=X"],
      "cannot start the boot again",
    ],
    [
      "no inittab",
      { "/etc": { directory: true }, "/etc/inittab": { link: "/none" } },
      ["root=LABEL=X"],
      "cannot start the boot again",
    ],
    [
      "another init",
      { "/sbin/init": { data: ELF, mode: 0o755 } },
      ["root=LABEL=X"],
      "process 1, /sbin/init, cannot start the boot again",
    ],
    ["a real system", { "/run/levain/stay.json": "{}" }, ["root=LABEL=X"], "no stopped boot to continue"],
  ])("is refused, and nothing happens: %s", (_, files, parameters, why) => {
    const machine = machineWith(files);
    expect(() => retryBoot(machine, parameters)).toThrow(why);
    expect(machine.journal).toEqual([]);
  });

  test("the boot that begins again has the parameters, the kernel's log level, and leaves nothing behind", () => {
    const { end, journal, console, record } = fakeBoot({
      cmdline: "quiet word name=value",
      disks: [{ name: "vda", image: rootImage() }],
      mounted: { "/proc": "proc", "/dev": "devtmpfs", "/run": "tmpfs" },
      before(machine) {
        machine.makeDirectory("/run/levain");
        machine.writeFile("/run/levain/stay.json", JSON.stringify({ ...STAY, consoleLevel: null }));
        machine.writeFile("/run/levain/retry.json", '["root=LABEL=ROOT"]');
      },
    });
    expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init", argv: ["/sbin/init", "word"] });
    expect(end).toMatchObject({ environment: ["HOME=/", "TERM=linux", "name=value"] });
    expect(console).toBe("");
    expect(record.commandLine).toBe("quiet word name=value · levain retry: root=LABEL=ROOT");
    expect(journal).toContain("remove /run/levain/stay.json");
    expect(journal).toContain("remove /run/levain/retry.json");
  });
});
