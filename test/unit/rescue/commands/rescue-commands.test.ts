import { describe, expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { createRecord, keepMessage, readRecord, saveRecord } from "../../../../src/log/boot-record.ts";
import { describeDevices } from "../../../../src/rescue/commands/devices.ts";
import { retryBoot } from "../../../../src/rescue/commands/retry.ts";
import { describeLog, describeStatus } from "../../../../src/rescue/commands/status.ts";
import { deskOn } from "../../../support/desk-in-process.ts";
import { fakeImage } from "../../../support/fake-images.ts";
import { fakeId, fakePhysicalVolume, groupText } from "../../../support/fake-lvm.ts";
import { type FakeMachineOptions, fakeMachine } from "../../../support/fake-machine.ts";

const MOUNTED = { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" };
const machineWith = (options: FakeMachineOptions = {}) =>
  fakeMachine({ mounted: MOUNTED, ...options, files: { "/run/levain": { directory: true }, ...options.files } });

describe("levain status", () => {
  test("in the rescue shell: which step failed, why, and how to continue", () => {
    const record = createRecord("0.1.0");
    Object.assign(record, {
      kernel: "6.1.0-fake",
      commandLine: `console=ttyS0 root=LABEL=WRONG ${"long=words ".repeat(9)}\x1b[2J`,
      state: "rescue",
    });
    record.failure = [
      "could not find the root device",
      '  no device with label "WRONG" appeared within 30 s',
      "hint: correct root=",
    ];
    const [prepare, modules, network, resume, root] = record.steps;
    Object.assign(prepare ?? {}, { outcome: "done", text: "command line read", startMs: 10, endMs: 12.2 });
    Object.assign(modules ?? {}, { outcome: "done", text: "41 loaded for 12 devices", startMs: 12, endMs: 1300 });
    Object.assign(network ?? {}, { outcome: "done", startMs: 1300, endMs: 1300 });
    Object.assign(resume ?? {}, { outcome: "done", startMs: 1300, endMs: 1300 });
    Object.assign(root ?? {}, {
      outcome: "failed",
      text: "could not find the root device",
      startMs: 1300,
      endMs: 31_300,
    });
    const machine = machineWith();
    saveRecord(machine, record);
    const lines = describeStatus(machine) ?? [];
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "levain 0.1.0 on Linux 6.1.0-fake
      command line: console=ttyS0 root=LABEL=WRONG long=words long=words long=words
      long=words long=words long=words long=words long=words long=words \\x1b[2J

        ok      prepare   command line read                                    2 ms
        ok      modules   41 loaded for 12 devices                          1288 ms
        FAILED  root      could not find the root device                   30000 ms
                mount
                layers
                subtrees
                init
                handover

      could not find the root device
        no device with label "WRONG" appeared within 30 s
      hint: correct root=

      The boot stopped at the step "root".
        exit                          retries from there
        levain menu                   offers repairs
        levain retry root=LABEL=NAME  retries with other parameters
        levain devices, levain log    show the disks, and the messages of this boot
        levain save-log /dev/sdb1     saves the messages on a stick"
    `);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("of every other state", () => {
    for (const [state, last] of [
      ["booting", 'The boot is at the step "prepare".'],
      ["handed over", "The boot has handed over to the real init."],
    ] as const) {
      const machine = machineWith();
      saveRecord(machine, { ...createRecord("0.1.0"), state });
      expect(describeStatus(machine)?.at(-1)).toBe(last);
    }
  });

  test("names the devices without a driver as long as the image exists: after a failure, before a step, with rd.handover=stay", () => {
    const list = zstdCompressSync("alias pci:v00008086d000010D3* e1000e\n");
    const sys = { "/bus/pci/devices/0000:00:01.0/modalias": "pci:v00008086d000010D3sv0\n" };
    for (const state of ["rescue", "stopped", "handed over"] as const) {
      const machine = machineWith({ sys, files: { "/lib/modules/6.1.0-fake/levain-missing.zst": list } });
      saveRecord(machine, { ...createRecord("0.1.0"), state });
      expect(describeStatus(machine)?.at(-1)).toBe("  pci 0000:00:01.0  e1000e");
    }
  });

  test("--json gives the record, and that of levain log its messages", async () => {
    const machine = machineWith();
    const record = createRecord("0.1.0");
    keepMessage(record, { atMs: 5, level: 6, text: "a\u001b" });
    saveRecord(machine, record);
    expect(JSON.parse((await deskOn(machine, "status", "--json")).stdout)).toEqual(record);
    expect(JSON.parse((await deskOn(machine, "log", "--json")).stdout)).toEqual(record.messages);
    expect(await deskOn(machineWith(), "log", "--json")).toMatchObject({ status: 1, stdout: "" });
  });

  test("no status if levain has not booted the system; a damaged record is reported", () => {
    expect(describeStatus(machineWith())).toBeNull();
    expect(describeLog(null)).toBeNull();
    for (const content of ["{", "[]", '{"version":2}', '{"version":1,"steps":[{}]}', ""]) {
      const machine = machineWith({ files: { "/run/levain/boot.json": content } });
      expect(() => describeStatus(machine)).toThrow("is damaged, or was written by another version");
    }
  });
});

test("levain log: every line with its time", () => {
  const machine = machineWith();
  const record = createRecord("0.1.0");
  keepMessage(record, { atMs: 3401.6, level: 6, text: "levain 0.1.0" });
  keepMessage(record, { atMs: 12_000, level: 3, text: "red \x1b[31m" });
  saveRecord(machine, record);
  expect(describeLog(readRecord(machine))).toEqual(["[    3.402] levain 0.1.0", "[   12.000] red \\x1b[31m"]);
});

describe("levain devices", () => {
  test("a table of the devices", () => {
    const machine = machineWith({
      disks: [
        {
          name: "nvme0n1",
          partitions: [
            { image: fakeImage("vfat", { label: "EFI", uuid: "ABCD-0123" }), name: "EFI system" },
            { image: fakeImage("ext4", { label: "My\x1b Disk", uuid: "0a1b2c3d-0000-4000-8000-00000000abcd" }) },
          ],
        },
        { name: "sda" },
        { name: "sdb", image: fakeImage("squashfs") },
      ],
    });
    machine.refuse("openAsyncReader", "/dev/sdb", "EIO");
    expect(describeDevices(machine).join("\n")).toMatchInlineSnapshot(`
      "DEVICE          SIZE      TYPE          LABEL        UUID                                  PARTLABEL   NOTE
      /dev/nvme0n1    58.5 KiB  (gpt)
      /dev/nvme0n1p1  10 KiB    vfat          EFI          ABCD-0123                             EFI system
      /dev/nvme0n1p2  16 KiB    ext4          My\\x1b Disk  0a1b2c3d-0000-4000-8000-00000000abcd
      /dev/sda        1 MiB
      /dev/sdb        4 KiB     (unreadable)                                                                 cannot be read: the device returns I/O errors: it is failing, or its cable is (EIO)"
    `);
  });

  test("a physical volume is listed with its volume group", () => {
    const group = { members: { pv0: fakeId("a") }, volumes: {} };
    const content = fakePhysicalVolume({ id: fakeId("a"), text: groupText(group) });
    const machine = machineWith({ disks: [{ name: "sda", content }] });
    expect(describeDevices(machine).join("\n")).toMatch(/^\/dev\/sda .* LVM2_member .* in the volume group "vg0"$/m);
  });

  test("disks that do not answer are listed after a second, all at the same time, and hold up no other", () => {
    const silent = { answersAfterMs: Number.POSITIVE_INFINITY };
    const machine = machineWith({
      disks: [
        { name: "sda", partitions: [{ image: fakeImage("ext4", { label: "ROOT" }), name: "system" }], ...silent },
        { name: "sdb", image: fakeImage("squashfs") },
        { name: "sdc", ...silent },
        { name: "sdd", image: fakeImage("ext4", { label: "LATE" }), answersAfterMs: 60 },
      ],
    });
    const startMs = machine.nowMs();
    expect(describeDevices(machine).join("\n")).toMatchInlineSnapshot(`
      "DEVICE     SIZE      TYPE         LABEL
      /dev/sda   48.5 KiB  (no answer)
      /dev/sda1  16 KiB    (no answer)
      /dev/sdb   4 KiB     squashfs
      /dev/sdc   1 MiB     (no answer)
      /dev/sdd   16 KiB    ext4         LATE"
    `);
    expect(machine.nowMs() - startMs).toBeLessThan(2500);
  });

  test("no empty columns, and a message if there is no device", () => {
    const machine = machineWith({ disks: [{ name: "sda", image: fakeImage("squashfs") }] });
    expect(describeDevices(machine)).toEqual(["DEVICE    SIZE   TYPE", "/dev/sda  4 KiB  squashfs"]);
    expect(describeDevices(machineWith())[0]).toStartWith("no block devices");
    expect(describeDevices(fakeMachine())[0]).toStartWith("no block devices");
  });
});

describe("levain retry", () => {
  test("outside a rescue shell says so", () => {
    for (const files of [{}, { "/run/levain/rescue.pid": "1\n" }, { "/run/levain/rescue.pid": "x" }]) {
      const machine = machineWith({ files });
      expect(() => retryBoot(machine, [])).toThrow("no stopped boot to continue");
      expect(machine.journal.filter((line) => !line.startsWith("mount"))).toEqual([]);
    }
  });

  test("passes the parameters on and ends the shell", () => {
    const machine = machineWith({ files: { "/run/levain/rescue.pid": "123\n" } });
    retryBoot(machine, ["root=LABEL=A B", "rw"]);
    expect(Buffer.from(machine.readFile("/run/levain/retry.json")).toString()).toBe('["root=LABEL=A B","rw"]');
    expect(machine.journal.at(-1)).toBe("hang up a process");
  });
});
