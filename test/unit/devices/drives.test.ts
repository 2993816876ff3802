import { expect, test } from "bun:test";
import { isPluggable } from "../../../src/devices/drives.ts";
import type { FakeEntry } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

/** A machine with one disk at this place below /sys. */
function machineWith(devpath: string, files: Readonly<Record<string, string>>) {
  const name = devpath.slice(devpath.lastIndexOf("/") + 1);
  const tree: Record<string, FakeEntry> = { [`/sys/class/block/${name}`]: { link: `../..${devpath}` } };
  for (const [path, text] of Object.entries({ removable: "0\n", ...files })) tree[`/sys${devpath}/${path}`] = text;
  return fakeMachine({ files: tree });
}

test.each([
  [
    "a USB disk that is not removable",
    "/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb",
    {},
    true,
  ],
  ["a FireWire disk", "/devices/pci0000:00/0000:03:00.0/fw1/fw1.0/host7/target7:0:0/7:0:0:0/block/sdc", {}, true],
  [
    "a medium that can be removed",
    "/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda",
    { removable: "1\n" },
    true,
  ],
  ["a memory card", "/devices/platform/mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0", { "device/type": "SD\n" }, true],
  ["soldered flash", "/devices/platform/mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0", { "device/type": "MMC\n" }, false],
  ["an NVMe disk", "/devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0/nvme0n1", {}, false],
] as const)("%s", (_, devpath, files, expected) => {
  const machine = machineWith(devpath, files);
  const name = devpath.slice(devpath.lastIndexOf("/") + 1);
  expect(isPluggable(machine, { name, partition: null })).toBe(expected);
  expect(isPluggable(machine, { name: "x1", partition: { disk: name, index: 1 } })).toBe(expected);
});

test.each([
  ["removable\n", true],
  ["fixed\n", false],
])("an NVMe disk at a PCI device that is %p", (text, expected) => {
  const pci = "/devices/pci0000:00/0000:00:1c.4/0000:05:00.0/0000:06:01.0/0000:07:00.0";
  const machine = fakeMachine({
    files: {
      [`/sys${pci}/nvme/nvme1/nvme1n1/removable`]: "0\n",
      [`/sys${pci}/removable`]: text,
      "/sys/class/block/nvme1n1": { link: `../..${pci}/nvme/nvme1/nvme1n1` },
    },
  });
  expect(isPluggable(machine, { name: "nvme1n1", partition: null })).toBe(expected);
});

test.each([
  ["removable\n", true],
  ["fixed\n", false],
])("an NVMe disk of which the kernel knows a subsystem, with a controller that is %p", (text, expected) => {
  const pci = "/devices/pci0000:00/0000:00:1c.4/0000:05:00.0/0000:06:01.0/0000:07:00.0";
  const subsystem = "/devices/virtual/nvme-subsystem/nvme-subsys1";
  const machine = fakeMachine({
    files: {
      [`/sys${subsystem}/nvme1n1/removable`]: "0\n",
      [`/sys${subsystem}/nvme1`]: { link: `../../..${pci.replace("/devices", "")}/nvme/nvme1` },
      [`/sys${pci}/removable`]: text,
      "/sys/class/block/nvme1n1": { link: `../..${subsystem}/nvme1n1` },
    },
  });
  expect(isPluggable(machine, { name: "nvme1n1", partition: null })).toBe(expected);
});

test.each([
  ["an eSATA port", "f322ff2f", "20c017", true],
  ["a port that is only hot-plug capable, as boards call those inside as well", "f322ff2f", "4c017", false],
  ["a controller without eSATA", "f322ff0f", "20c017", false],
])("a SATA disk at %s", (_, caps, command, expected) => {
  const place = "/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda";
  const machine = fakeMachine({
    files: {
      [`/sys${place}/removable`]: "0\n",
      "/sys/class/block/sda": { link: `../..${place}` },
      "/sys/class/scsi_host/host2/ahci_host_caps": `${caps}\n`,
      "/sys/class/scsi_host/host2/ahci_port_cmd": `${command}\n`,
    },
  });
  expect(isPluggable(machine, { name: "sda", partition: null })).toBe(expected);
});

test("a disk that is gone cannot be plugged in", () => {
  expect(isPluggable(fakeMachine(), { name: "sda", partition: null })).toBe(false);
});
