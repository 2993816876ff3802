import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bus } from "../../src/desk/qemu/disk-devices.ts";
import { scratchDirectory } from "../support/cache.ts";
import { assembleDisk, blankDisk, foreignDisk } from "../support/disk-images.ts";
import { type ImageType, rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { Vm } from "../support/qemu.ts";
import type { RootChanges } from "../support/root-tree.ts";
import { vmTest } from "../support/vm-test.ts";

const UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";
const EFI_PARTUUID = "11111111-2222-4333-8444-55555555555e";
const ROOT_PARTUUID = "11111111-2222-4333-8444-55555555555f";

/** An EFI partition without a root, and the root. */
async function gptDisk(label = "My Disk", changes: RootChanges = {}): Promise<string> {
  const tree = scratchDirectory();
  writeFileSync(join(tree, "README"), "not a root");
  const partitions = [
    { file: await treeImage("vfat", tree, { label: "EFI" }), type: "U", name: "EFI", uuid: EFI_PARTUUID },
    { file: await rootImage("ext4", { label, uuid: UUID }, changes), name: "my root", uuid: ROOT_PARTUUID },
  ];
  return assembleDisk(partitions, { table: "gpt" });
}

async function dosDisk(label = "ROOT"): Promise<string> {
  return assembleDisk([{}, { file: await rootImage("ext4", { label }) }], { table: "dos", id: "0x1badcafe" });
}

interface Boot {
  readonly words: string;
  /** On the console. */
  readonly expected: string | RegExp;
  /** In /proc/mounts. */
  readonly mount?: RegExp;
}

/** Boots one root after the other: the first by the command line of `bootFirst`, the others by the shell. The last one's init is started. */
async function bootInTurn(vm: Vm, boots: readonly Boot[]): Promise<void> {
  for (const [index, { words, expected, mount }] of boots.entries()) {
    const isLast = index === boots.length - 1;
    if (index > 0) {
      await vm.expect(PROMPT);
      vm.send(`levain retry ${words}${isLast ? " init=/sbin/init" : ""}\n`);
    }
    await vm.expect(expected);
    await vm.expect(isLast ? "small-root: ready" : "the root's init /none cannot be started");
    if (mount === undefined) continue;
    await vm.expect(PROMPT);
    vm.send("grep /sysroot /proc/mounts\n");
    await vm.expect(mount);
    vm.send("\n");
  }
  expect(vm.log()).not.toContain("a bug in levain");
}

const bootFirst = (boots: readonly Boot[]) => `${boots[0]?.words} init=/none`;

// By what the kernel says of its partitions; test/boot/root-names.test.ts has the other spellings.
const SPELLINGS: readonly Boot[] = [
  'root="LABEL=My Disk"',
  `root=PARTUUID=${EFI_PARTUUID}/PARTNROFF=1`,
  '"root=PARTLABEL=my root"',
  "root=fe02",
  "root=PARTUUID=1badcafe-02",
  "root=LABEL=GONE rootfallback=LABEL=GONE-TOO rootfallback=LABEL=ROOT rd.timeout=1",
].map((words) => {
  const node = /1badcafe|rootfallback/.test(words) ? "/dev/vdb2" : "/dev/vda2";
  return { words, expected: `mount     ${node} ext4 at /sysroot, read-only` };
});

vmTest(
  "a root has many spellings",
  async () => levainGuest({ disks: [await gptDisk(), await dosDisk()], cmdline: bootFirst(SPELLINGS) }),
  async (vm) => {
    await bootInTurn(vm, SPELLINGS);
    expect(vm.log()).toContain("small-root: mount / ext4 /dev/vdb2 ro,");
  },
);

// What the udev of Debian 12 calls these disks; what it takes from sysfs differs from bus to bus. The kernel reads each of the tables.
const LINKS: readonly (readonly [bus: Bus, serial: string, table: "gpt" | "mac" | "bsd", link: string])[] = [
  ["usb", "S 1", "gpt", "by-path/pci-0000:00:02.0-usb-0:1:1.0-scsi-0:0:0:0-part2"],
  ["usb", "S 2", "gpt", "by-id/usb-QEMU_QEMU_HARDDISK_S_2-0:0-part2"],
  ["virtio", "S 1", "gpt", "by-id/virtio-S_1-part2"],
  ["nvme", "S 1", "gpt", "by-id/nvme-QEMU_NVMe_Ctrl_S_1_1-part2"],
  ["ahci", "S 1", "mac", "by-id/ata-QEMU_HARDDISK_S_1-part2"],
  ["ide", "S 2", "gpt", "by-path/pci-0000:00:01.1-ata-1-part2"],
  ["scsi", "S 1", "bsd", "by-id/scsi-0QEMU_QEMU_HARDDISK_S_1-part5"],
];
const IN_LAYERS = "cat /run/levain/lower/*/etc/link";

// One boot for all: the root is the lowest of layers, each of which is named by a link and says which disk it was expected on.
vmTest(
  `disks have the names of udev's links on ${[...new Set(LINKS.map(([bus]) => bus))].join(", ")}, two of them with the tables of Apple and BSD`,
  async () =>
    levainGuest({
      image: { kernel: "full" },
      disks: await Promise.all(
        LINKS.map(async ([bus, serial, table, link]) => {
          const [label, changes] = [`on ${bus}`, { "/etc/link": { text: `${link}\n`, mode: 0o644 } }];
          const foreign = async () => rootImage("ext4", { label }, changes);
          const file = table === "gpt" ? await gptDisk(label, changes) : await foreignDisk(table, await foreign());
          return { file, bus, serial };
        }),
      ),
      cmdline: `${LINKS.map(([, , , link], index) => `${index === 0 ? "root" : "rd.layer"}=/dev/disk/${link}`).join(" ")} rd.timeout=900`,
      memoryMib: 768,
    }),
  async (vm) => {
    await vm.expect("small-root: mount / overlay");
    await vm.expect("small-root: ready");
    vm.send(`${IN_LAYERS}; echo all-$((40 + 2))\n`);
    await vm.expect(`${LINKS.map(([, , , link]) => link).join("\n")}\nall-42`);
  },
);

// Type, and how it is mounted with rw. Names that a type does not have are left out of the image.
const TYPES: readonly [ImageType, string, "ro" | "rw"][] = [
  ["ext2", "LABEL=ROOT", "rw"],
  ["ext3", "LABEL=ROOT3", "rw"],
  ["ext4", "LABEL=ROOT4", "rw"],
  ["btrfs", `UUID=${UUID}`, "rw"],
  ["erofs", "/dev/disk/by-id/virtio-erofs", "ro"],
  ["iso9660", "LABEL=ISO", "ro"],
  ["squashfs-xz", "/dev/disk/by-id/virtio-squashfs-xz", "ro"],
  ["xfs", "LABEL=ROOTX", "rw"],
];

const ROOTS: readonly Boot[] = [
  ...TYPES.map(([type, root, mode]) => ({
    words: `root=${root}`,
    expected: "layers    nothing to stack",
    mount: new RegExp(`/dev/vd[a-h] /sysroot ${type.replace(/-.*/, "")} ${mode},`),
  })),
  {
    words: "root=LABEL=ROOT4 rootfstype=xfs,ext4 rootflags=noatime,commit=77",
    expected: /mount {5}\/dev\/vd[a-h] ext4 at \/sysroot/,
  },
];

vmTest(
  `roots on ${TYPES.map(([type]) => type).join(", ")} are mounted with rw as they can be; the second type of rootfstype= is taken where the first is refused`,
  async () =>
    levainGuest({
      disks: await Promise.all(
        TYPES.map(async ([type, root]) => {
          const label = root.startsWith("LABEL=") ? { label: root.slice(6) } : {};
          const names = { ...label, ...(root.startsWith("UUID=") ? { uuid: UUID } : {}) };
          return { file: await rootImage(type, names), serial: type };
        }),
      ),
      cmdline: `${bootFirst(ROOTS)} rw`,
    }),
  async (vm) => {
    await bootInTurn(vm, ROOTS);
    expect(vm.log()).toMatch(/small-root: mount \/ ext4 \/dev\/vd[a-h] rw,noatime,commit=77/);
  },
);

const BIG_SECTORS = ["logical", "physical"].flatMap((kind) => ["-global", `virtio-blk-device.${kind}_block_size=4096`]);

vmTest(
  "a GPT of 4096-byte sectors names the root, also where only the header at its end is left",
  async () =>
    levainGuest({
      image: { words: ["--program", "/usr/sbin/sgdisk"] },
      disks: [await blankDisk(64), await rootImage("erofs")],
      cmdline: "root=PARTLABEL=root rd.timeout=1 init=/none",
      extra: BIG_SECTORS,
    }),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect(PROMPT);
    vm.send(`sgdisk -n 1:0:+1M -n 2:0:+32M -c 2:root -u 2:${ROOT_PARTUUID} /dev/vda && cat /dev/vdb > /dev/vda2\n`);
    await vm.expect("The operation has completed successfully");
    const boots = ["root=PARTLABEL=root", `root=PARTUUID=${ROOT_PARTUUID}`];
    for (const [index, words] of boots.entries()) {
      await vm.expect(PROMPT);
      // Before the last: the first header is gone, and the kernel still has its partitions.
      if (index === 1) vm.send("dd if=/dev/zero of=/dev/vda bs=4096 seek=1 count=1 conv=notrunc; sync\n");
      vm.send(`levain retry ${words} rd.timeout=9\n`);
      await vm.expect(/^ {2}root +\/dev\/vda2 erofs/m);
      await vm.expect("the root's init /none cannot be started");
    }
    await vm.expect(PROMPT);
    vm.send("dd if=/dev/vda bs=4096 skip=1 count=1 | md5sum; levain devices /dev/vda\n");
    await vm.expect("620f0b67a91f7f74151bc5be745b7110");
    await vm.expect("PTTYPE=gpt");
  },
);
