import { describe, expect, test } from "bun:test";
import { normalize } from "node:path";
import type { BlockDevice } from "../../../src/devices/block-devices.ts";
import { isPartOfVolume, listLinks, mayHaveLink } from "../../../src/devices/persistent-names.ts";
import { ataIdentity, scsiIdentity } from "../../../src/devices/scsi-identity.ts";
import { ataPage } from "../../support/ata-page.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

// What the sysfs of a guest said, and the links that systemd 252's udev made in it.

const VPD83 = Uint8Array.from([0, 0x83, 0, 0x0c, 2, 0, 0, 8, ...Buffer.from("S 1-scsi")]);
const PCI = "/devices/pci0000:00/0000:00";

function links(disk: string, path: string, attributes: Readonly<Record<string, string | Uint8Array>>, index?: number) {
  const sys: FakeTree = {
    [`/class/block/${disk}`]: { link: `../../devices/pci0000:00/0000:00${path}/block/${disk}` },
    ...Object.fromEntries(
      Object.entries(attributes).map(([name, data]) => [normalize(`${PCI}${path}/block/${disk}/${name}`), data]),
    ),
  };
  const machine = fakeMachine({ sys, mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" } });
  const device: BlockDevice = {
    name: index === undefined ? disk : `${disk}${index}`,
    node: `/dev/${disk}`,
    number: "8:0",
    sizeBytes: 512,
    partition: index === undefined ? null : { disk, index },
    facts: { type: null, label: null, uuid: null, partitionTable: null, ambivalent: [] },
    unreadable: null,
  };
  return listLinks(machine, device).map((link) => link.replace("/dev/disk/", ""));
}

const scsi = (vendor: string, model: string) => ({ "device/vendor": `${vendor}\n`, "device/model": `${model}\n` });

describe("listLinks", () => {
  test("virtio", () => {
    expect(links("vdb", ":08.0/virtio3", { serial: "S 1-virtio" }, 2)).toEqual([
      "by-id/virtio-S_1-virtio-part2",
      "by-path/pci-0000:00:08.0-part2",
      "by-path/virtio-pci-0000:00:08.0-part2",
    ]);
    expect(links("vda", ":07.0/virtio2", { serial: "" })).toEqual([
      "by-path/pci-0000:00:07.0",
      "by-path/virtio-pci-0000:00:07.0",
    ]);
  });

  test("NVMe", () => {
    const attributes = {
      wwid: "nvme.1b36-5320-51454d55-00000001\n",
      nsid: "1\n",
      "device/model": "QEMU NVMe Ctrl                          \n",
      "device/serial": "S 1-nvme            \n",
    };
    expect(links("nvme0n1", ":09.0/nvme/nvme0", attributes)).toEqual([
      "by-id/nvme-nvme.1b36-5320-51454d55-00000001",
      "by-id/nvme-QEMU_NVMe_Ctrl_S_1-nvme",
      "by-id/nvme-QEMU_NVMe_Ctrl_S_1-nvme_1",
      "by-path/pci-0000:00:09.0-nvme-1",
    ]);
  });

  test("ATA", () => {
    const attributes = {
      ...scsi("ATA     ", "QEMU HARDDISK   "),
      "device/vpd_pg89": ataPage("QEMU HARDDISK", "S 1-ahci"),
      "device/wwid": "naa.5000c500a1b2c3d4\n",
      "../../../../../ata_port/ata7/port_no": "1\n",
    };
    expect(links("sda", ":03.0/ata7/host6/target6:0:0/6:0:0:0", attributes, 1)).toEqual([
      "by-id/wwn-0x5000c500a1b2c3d4-part1",
      "by-id/ata-QEMU_HARDDISK_S_1-ahci-part1",
      "by-path/pci-0000:00:03.0-ata-1.0-part1",
      "by-path/pci-0000:00:03.0-ata-1-part1",
    ]);
  });

  test("SCSI", () => {
    const attributes = { ...scsi("QEMU    ", "QEMU HARDDISK   "), "device/vpd_pg83": VPD83 };
    expect(links("sdd", ":02.0/virtio0/host9/target9:0:0/9:0:0:0", attributes)).toEqual([
      "by-id/scsi-0QEMU_QEMU_HARDDISK_S_1-scsi",
      "by-path/pci-0000:00:02.0-scsi-0:0:0:0",
    ]);
  });

  test("USB", () => {
    const attributes = { ...scsi("QEMU    ", "QEMU HARDDISK   "), "../../../../../../serial": "S 1-usb\n" };
    expect(links("sdc", ":04.0/usb2/2-1/2-1:1.0/host8/target8:0:0/8:0:0:0", attributes, 2)).toEqual([
      "by-id/usb-QEMU_QEMU_HARDDISK_S_1-usb-0:0-part2",
      "by-path/pci-0000:00:04.0-usb-0:1:1.0-scsi-0:0:0:0-part2",
    ]);
  });

  test("SD cards, and device-mapper", () => {
    const card = { "device/name": "QEMU!\n", "device/serial": "0xdeadbeef\n" };
    expect(links("mmcblk0", ":05.0/mmc_host/mmc0/mmc0:4567", card, 1)).toEqual(["by-id/mmc-QEMU__0xdeadbeef-part1"]);
    expect(links("dm-0", ":00.0/virtual", { "dm/name": "vg-root\n", "dm/uuid": "LVM-abc\n" })).toContainAllValues([
      "/dev/vg/root",
      "by-id/dm-name-vg-root",
      "by-id/dm-uuid-LVM-abc",
      "/dev/mapper/vg-root",
    ]);
  });
});

test.each([
  ["vg-root", "LVM-abc", false],
  ["vg-root_rimage_0", "LVM-abc", true],
  ["vg-root_rmeta_1", "LVM-abc", true],
  ["vg-pool_tdata", "LVM-abc-tdata", true],
  ["vg-pool-tpool", "LVM-abc-tpool", true],
  ["root_rimage_0", "CRYPT-LUKS2-abc", false],
])("%s with the uuid %s is a part of a volume: %p", (name, uuid, isPart) => {
  const sys: FakeTree = {
    "/class/block/dm-0": { link: "../../devices/virtual/block/dm-0" },
    "/devices/virtual/block/dm-0/dm/name": `${name}\n`,
    "/devices/virtual/block/dm-0/dm/uuid": `${uuid}\n`,
  };
  const machine = fakeMachine({ sys, mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" } });
  expect(isPartOfVolume(machine, { name: "dm-0" })).toBe(isPart);
});

test.each([
  ["/dev/disk/by-id/x", ["dm-0", "md0", "bcache0", "sda"]],
  ["/dev/disk/by-path/x", ["dm-0", "md0", "bcache0", "sda"]],
  ["/dev/mapper/x", ["dm-0", "md0"]],
  ["/dev/md/x", ["dm-0", "md0"]],
  ["/dev/vg/x", ["dm-0", "md0"]],
  ["/dev/bcache/by-uuid/x", ["bcache0"]],
  ["/dev/sda", []],
  ["/dev/disk/x", []],
])("a link %s is looked for only among devices that may have one", (path, names) => {
  expect(["dm-0", "md0", "bcache0", "sda"].filter((name) => mayHaveLink({ name }, path))).toEqual(names);
});

test("truncated or damaged VPD pages give nothing, and the best designator wins", () => {
  const ata = ataPage("DISK", "1");
  for (let length = 0; length < ata.length; length += 7) expect(ataIdentity(ata.subarray(0, length))).toBeNull();
  for (let length = 0; length < VPD83.length; length++) {
    expect(scsiIdentity(VPD83.subarray(0, length), "V", "M")).toBeNull();
  }
  const naa = [1, 3, 0, 8, 0x50, 0, 0xc5, 0, 1, 2, 3, 4];
  const both = Uint8Array.from([0, 0x83, 0, 12 + 12, ...VPD83.subarray(4), ...naa]);
  expect(scsiIdentity(both, "V", "M")).toBe("35000c50001020304");
});
