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
