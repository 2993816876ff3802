import { expect, test } from "bun:test";
import { fakeBoot, rootImage, stick } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

const PROGRAM = "write /run/initramfs/shutdown";
const DISK = [{ name: "vda", image: rootImage() }];

const boot = (cmdline: string, more = {}) => fakeBoot({ cmdline: `root=LABEL=ROOT ${cmdline}`, disks: DISK, ...more });

test.each([
  ["", false],
  ["rd.overlay", false],
  ["rd.exitrd", true],
  ["rd.exitrd=no", false],
])("a root on a partition, %s: the exit program is left %p", (cmdline, isLeft) => {
  expect(boot(cmdline).journal.includes(PROGRAM)).toBe(isLeft);
});

test.each([
  ["", true],
  ["rd.exitrd=no", false],
])("a root in an image, %s: the exit program is left %p", (cmdline, isLeft) => {
  const { disk, squashfs } = stick();
  const disks = [{ name: "sda", partitions: [{ image: disk }] }];
  const { journal } = fakeBoot({
    cmdline: `root=LABEL=FLASH rd.image=/newroot.sfs ${cmdline}`,
    disks,
    images: [squashfs],
  });
  expect(journal.includes(PROGRAM)).toBe(isLeft);
});

test("changes on a disk: the exit program is left", () => {
  const data = fakeImage("ext4", { label: "DATA", sizeBytes: 4 << 20 });
  const disks = [...DISK, { name: "vdb", image: data }];
  expect(boot("rd.overlay=LABEL=DATA", { disks }).journal).toContain(PROGRAM);
});

test("an exit program that cannot be written stops no boot", () => {
  const { end, console } = boot("rd.exitrd", {
    before: (machine: FakeMachine) => machine.refuse("writeFile", "/run/initramfs/shutdown", "ENOSPC"),
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("the medium may not be clean after power-off");
});

test("the command levain stays if that is asked for", () => {
  const copy = "copy /proc/self/exe to /run/levain/bin/levain";
  expect(boot("rd.command").journal).toContain(copy);
  expect(boot("").journal).not.toContain(copy);
  const { end, console } = boot("rd.command", {
    before: (machine: FakeMachine) => machine.refuse("copyFile", "/run/levain/bin", "ENOSPC"),
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("the command levain is not kept");
});
