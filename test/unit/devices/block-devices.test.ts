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

test("a hidden path to a disk of NVMe is no device", () => {
  const path = "/class/block/nvme0c0n1";
  const machine = fakeMachine({
    mounted: MOUNTED,
    disks: [{ name: "nvme0n1", image: rootImage() }],
    sys: { [`${path}/uevent`]: "DEVTYPE=disk\n", [`${path}/size`]: "2048\n", [`${path}/hidden`]: "1\n" },
  });
  const { devices } = readBlockDevices(machine, ["nvme0c0n1", "nvme0n1"]);
  expect(devices.map(({ node }) => node)).toEqual(["/dev/nvme0n1"]);
  expect(machine.journal.join("\n")).not.toContain("nvme0c0n1");
});
