import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { assembleDisk } from "../support/disk-images.ts";
import { type ImageType, rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { Bus } from "../support/qemu-arguments.ts";
import { vmTest } from "../support/vm-test.ts";

const UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";
const EFI_PARTUUID = "11111111-2222-4333-8444-55555555555e";
const ROOT_PARTUUID = "11111111-2222-4333-8444-55555555555f";

/** An EFI partition without a root, and the root. */
async function gptDisk(): Promise<string> {
  const tree = scratchDirectory();
  writeFileSync(join(tree, "README"), "not a root");
  const partitions = [
    { file: await treeImage("vfat", tree, { label: "EFI" }), type: "U", name: "EFI", uuid: EFI_PARTUUID },
    { file: await rootImage("ext4", { label: "My Disk", uuid: UUID }), name: "my root", uuid: ROOT_PARTUUID },
  ];
  return assembleDisk(partitions, { table: "gpt" });
}

async function dosDisk(label = "ROOT"): Promise<string> {
  return assembleDisk([{}, { file: await rootImage("ext4", { label }) }], { table: "dos", id: "0x1badcafe" });
}

function bootsFrom(root: string, disk: () => Promise<string>, device: string): void {
  vmTest(
    `${root} is ${device}`,
    async () => levainGuest({ disks: [await disk()], cmdline: root }),
    async (vm) => {
      await vm.expect(`small-root: mount / ext4 ${device} ro,`);
      await vm.expect("small-root: ready");
    },
  );
}

for (const root of [
  "root=/dev/vda2",
  'root="LABEL=My Disk"',
  "root=UUID=0A1B2C3D-0000-4000-8000-00000000ABCD",
  "root=PARTUUID=11111111-2222-4333-8444-55555555555F",
  `root=PARTUUID=${EFI_PARTUUID}/PARTNROFF=1`,
  '"root=PARTLABEL=my root"',
  "root=/dev/disk/by-label/My\\x20Disk",
  `root=/dev/disk/by-uuid/${UUID}`,
  `root=/dev/disk/by-partuuid/${ROOT_PARTUUID}`,
  "root=254:2",
  "root=fe02",
]) {
  bootsFrom(root, gptDisk, "/dev/vda2");
}
bootsFrom("root=PARTUUID=1badcafe-02", dosDisk, "/dev/vda2");
bootsFrom("root=LABEL=GONE rootfallback=LABEL=GONE-TOO rootfallback=LABEL=ROOT rd.timeout=2", dosDisk, "/dev/vda2");

// What the udev of Debian 12 calls these disks; what it takes from sysfs differs from bus to bus.
const LINKS: readonly [Bus, string][] = [
  ["virtio", "by-id/virtio-S_1-part2"],
  ["nvme", "by-id/nvme-QEMU_NVMe_Ctrl_S_1_1-part2"],
  ["ahci", "by-id/ata-QEMU_HARDDISK_S_1-part2"],
  ["ide", "by-path/pci-0000:00:01.1-ata-1-part2"],
  ["scsi", "by-id/scsi-0QEMU_QEMU_HARDDISK_S_1-part2"],
  ["usb", "by-id/usb-QEMU_QEMU_HARDDISK_S_1-0:0-part2"],
  ["usb", "by-path/pci-0000:00:02.0-usb-0:1:1.0-scsi-0:0:0:0-part2"],
];

for (const [bus, link] of LINKS) {
  vmTest(
    `root=/dev/disk/${link} is a disk on ${bus}`,
    async () =>
      levainGuest({
        image: { kernel: "full" },
        disks: [{ file: await gptDisk(), bus, serial: "S 1" }],
        cmdline: `root=/dev/disk/${link}`,
        memoryMib: 768,
      }),
    async (vm) => {
      await vm.expect(/^ {2}root +\/dev\/\w+2 ext4 "My Disk"/m);
      await vm.expect("small-root: ready");
    },
  );
}

// Type, and what /proc/mounts says with rw. Names that a type does not have are left out of the image.
const TYPES: readonly [ImageType, string, "ro" | "rw"][] = [
  ["ext2", "LABEL=ROOT", "rw"],
  ["ext3", "LABEL=ROOT", "rw"],
  ["ext4", "LABEL=ROOT", "rw"],
  ["xfs", "LABEL=ROOT", "rw"],
  ["btrfs", `UUID=${UUID}`, "rw"],
  ["erofs", `UUID=${UUID}`, "ro"],
  ["iso9660", "LABEL=ROOT", "ro"],
  ["squashfs-xz", "/dev/vda", "ro"],
];

for (const [type, root, mode] of TYPES) {
  vmTest(
    `${type} as ${root} rw is ${mode}`,
    async () =>
      levainGuest({ disks: [await rootImage(type, { label: "ROOT", uuid: UUID })], cmdline: `root=${root} rw` }),
    async (vm) => {
      await vm.expect(`small-root: mount / ${type.replace(/-.*/, "")} /dev/vda ${mode},`);
      await vm.expect("small-root: ready");
    },
  );
}

vmTest(
  "rootflags= and rootfstype= are obeyed, and the second type is taken where the first is refused",
  async () =>
    levainGuest({
      disks: [await rootImage("ext4", { label: "ROOT" })],
      cmdline: "root=LABEL=ROOT rw rootfstype=xfs,ext4 rootflags=noatime,commit=77",
    }),
  async (vm) => {
    await vm.expect(/small-root: mount \/ ext4 \/dev\/vda rw,noatime,commit=77/);
  },
);

vmTest(
  "of two devices with the label the first is taken, and both are named",
  async () => levainGuest({ disks: [await dosDisk(), await gptDisk(), await dosDisk()], cmdline: "root=LABEL=ROOT" }),
  async (vm) => {
    await vm.expect(/warning +2 devices match LABEL=ROOT: \/dev\/vda2 and \/dev\/vdc2; taking \/dev\/vda2/);
    await vm.expect("small-root: mount / ext4 /dev/vda2 ro,");
  },
);

for (const words of ["rootwait", "rootdelay=60"]) {
  vmTest(
    `a disk that comes 3 s late is waited for with ${words}`,
    async () =>
      levainGuest({
        disks: [await gptDisk(), { file: await dosDisk(), id: "late", unplugged: true }],
        cmdline: `root=LABEL=ROOT ${words}`,
      }),
    async (vm) => {
      await vm.expect(/waiting for LABEL=ROOT.*seen: \/dev\/vda1 vfat "EFI" · \/dev\/vda2 ext4 "My Disk"/);
      await Bun.sleep(3000);
      await vm.plug("late");
      await vm.expect("small-root: mount / ext4 /dev/vdb2 ro,", 20_000);
    },
  );
}

vmTest(
  "a wrong label is told with what is there, and the shell goes on with another",
  async () => levainGuest({ disks: [await gptDisk()], cmdline: "root=LABEL=MY_DISK rd.timeout=2" }),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect('no device with label "MY_DISK" appeared within 2 s');
    await vm.expect('seen: /dev/vda1 vfat "EFI" · /dev/vda2 ext4 "My Disk"');
    await vm.expect("hint: correct root=");
    await vm.expect(PROMPT);
    vm.send('levain retry "root=LABEL=My Disk"\n');
    await vm.expect("small-root: mount / ext4 /dev/vda2 ro,");
    expect(vm.log()).not.toContain("a bug in levain");
  },
);
