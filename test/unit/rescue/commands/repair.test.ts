import { describe, expect, test } from "bun:test";
import { createRecord, saveRecord } from "../../../../src/log/boot-record.ts";
import { describeHealth } from "../../../../src/rescue/commands/check.ts";
import { RESCUE_COMMANDS } from "../../../../src/rescue/shell-commands.ts";
import { deskOn } from "../../../support/desk-in-process.ts";
import { INITRAMFS, rootImage } from "../../../support/fake-boot.ts";
import { type FakeMachineOptions, fakeMachine } from "../../../support/fake-machine.ts";

const MOUNTED = { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs", "/run": "tmpfs" };

/** A machine whose boot has stopped, with its rescue shell. */
function rescue({ files = {}, ...more }: FakeMachineOptions = {}) {
  const machine = fakeMachine({
    mounted: MOUNTED,
    cmdline: "root=LABEL=ROOT",
    filesystems: ["ext4"],
    disks: [{ name: "vda", image: rootImage() }],
    ...more,
    files: { ...INITRAMFS, ...files },
  });
  machine.makeDirectory("/run/levain");
  machine.writeFile("/run/levain/rescue.pid", "100\n");
  saveRecord(machine, { ...createRecord("0.1.0"), state: "rescue" });
  return machine;
}

const text = (machine: ReturnType<typeof rescue>, path: string) => Buffer.from(machine.readFile(path)).toString();

test("outside a stopped boot, the commands that change something refuse", async () => {
  for (const name of ["menu", "set", "mount", "reboot", "poweroff"]) {
    const { status, stderr } = await deskOn(fakeMachine({ mounted: MOUNTED }), name);
    expect(status).toBe(1);
    expect(stderr).toStartWith("no stopped boot to continue\n");
  }
});

test("levain alone lists the commands of the rescue shell, each with what it does", async () => {
  const { status, stdout } = await deskOn(rescue());
  expect(status).toBe(0);
  for (const name of RESCUE_COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}levain ${name} +[A-Z]`, "m"));
  expect((await deskOn(rescue(), "stauts")).stderr).toContain("did you mean status");
});

test("levain set keeps parameters, which levain plan and levain retry use", async () => {
  const machine = rescue();
  expect((await deskOn(machine, "set", "root=LABEL=OTHER", "rd.iscsi.password=hunter2")).stdout).toBe(
    "root=LABEL=OTHER\nrd.iscsi.password=…\n",
  );
  expect((await deskOn(machine, "set", "rot=LABEL=A")).stderr).toContain("did you mean root=?");
  expect((await deskOn(machine, "plan")).stdout).toContain("LABEL=OTHER");
  await deskOn(machine, "retry", "rw");
  expect(text(machine, "/run/levain/retry.json")).toBe('["root=LABEL=OTHER","rd.iscsi.password=hunter2","rw"]');
  expect((await deskOn(machine, "set", "--clear")).stdout).toBe("nothing is set\n");
});

describe("levain mount", () => {
  test("mounts the root so that nothing is written to it", async () => {
    const machine = rescue();
    const { status, stdout } = await deskOn(machine, "mount");
    expect(stdout).toBe(
      '/dev/vda ext4 "ROOT" is mounted at /sysroot as ext4, read-only\nto boot, unmount it first: `umount /sysroot; exit`\n',
    );
    expect(status).toBe(0);
    expect(machine.journal.some((line) => /^mount ext4 \/dev\/vda at \/sysroot \(ro/.test(line))).toBe(true);
    expect((await deskOn(machine, "mount")).stderr).toContain("something is mounted at /sysroot already");
  });

  test("says what it cannot find, or cannot mount", async () => {
    const cmdline = "root=LABEL=WRONG rd.timeout=1";
    expect((await deskOn(rescue({ cmdline }), "mount")).stderr).toContain("could not find the root device");
    expect((await deskOn(rescue({ cmdline: "root=virtiofs:tag" }), "mount")).stderr).toContain("is no block device");
  });
});

test("levain reboot unmounts disks first", async () => {
  const machine = rescue();
  await deskOn(machine, "mount");
  await deskOn(machine, "reboot").catch(() => undefined);
  const journal = machine.journal.slice(-2);
  expect(journal[0]).toContain("unmount /sysroot");
  expect(journal[1]).toContain("reboot");
});

describe("levain doctor in the rescue shell", () => {
  test("finds nothing wrong with a machine that boots", () => {
    const dev = { "/ttyS0": { node: "character", number: "4:64" } } as const;
    const sys = { "/class/tty/console/active": "ttyS0\n" };
    const { lines } = describeHealth(rescue({ dev, sys }));
    expect(lines.filter((line) => !line.startsWith("  ok      ") && !line.includes(" clock "))).toEqual([]);
  });

  test("names what is wrong", async () => {
    const { status, stdout } = await deskOn(rescue({ cmdline: "rot=LABEL=ROOT", disks: [] }), "doctor");
    expect(status).toBe(2);
    expect(stdout).toContain("no root= names a root: levain set root=LABEL=NAME");
    expect(stdout).toContain("no block device: the disk or its driver is missing");
    expect(stdout).toContain("did you mean root");
  });
});
