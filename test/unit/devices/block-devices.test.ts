import { expect, test } from "bun:test";
import { readBlockDevices } from "../../../src/devices/read-devices.ts";
import { rootImage } from "../../support/fake-boot.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const MOUNTED = { "/proc": "proc", "/sys": "sysfs", "/dev": "tmpfs" };

test("a disk without a node gets one in a boot", () => {
  const machine = fakeMachine({ mounted: MOUNTED, disks: [{ name: "vda", image: rootImage() }] });
  expect(readBlockDevices(machine, ["vda"]).devices[0]?.facts).toMatchObject({ type: "ext4", label: "ROOT" });
  expect(machine.journal).toContain("node /dev/vda block 8:0");
});

test("outside a boot a disk without a node is left alone", () => {
  const machine = fakeMachine({ mounted: MOUNTED, disks: [{ name: "vda", image: rootImage() }], isBoot: false });
  const before = machine.journal.length;
  expect(readBlockDevices(machine, ["vda"]).devices).toEqual([]);
  expect(machine.journal.length).toBe(before);
});

test("the hidden path of an NVMe disk, which has no number, is no device", () => {
  const sys = { "/class/block/nvme0c0n1/uevent": "DEVTYPE=disk\n", "/class/block/nvme0c0n1/size": "2048\n" };
  const machine = fakeMachine({ mounted: MOUNTED, disks: [], sys });
  expect(readBlockDevices(machine, ["nvme0c0n1"]).devices).toEqual([]);
  expect(machine.journal.join("\n")).not.toContain("node /dev/nvme0c0n1");
});
