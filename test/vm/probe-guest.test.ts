import { expect } from "bun:test";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { blankDisk } from "../support/disk-images.ts";
import { guestPrograms } from "../support/guest-programs.ts";
import { busyboxEntries, packDirectory, writeTree } from "../support/initramfs.ts";
import { debianKernel } from "../support/kernels.ts";
import { levainInit } from "../support/levain-image.ts";
import { provideImage } from "../support/probe/image-store.ts";
import { TABLE_RECIPES } from "../support/probe/table-recipes.ts";
import { vmTest } from "../support/vm-test.ts";

const PROGRAMS = ["/usr/sbin/blkid", "/usr/sbin/mdadm", "/usr/sbin/integritysetup", "/usr/sbin/lvm"];
const DRIVERS = ["md", "block", "virtio", "crypto"];

// What needs a kernel that takes part: partitions that it made, and arrays and volumes of real tools.
const INIT = `
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin IMSM_NO_PLATFORM=1 IMSM_DEVNAME_AS_SERIAL=1
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mkdir -p /run /tmp /etc
modprobe -a virtio_pci virtio_blk md_mod raid1 dm_mod dm_integrity crc32c_generic 2>/dev/null; sleep 1
same() {
  for device in $2; do
    blkid -p -o export $device > /tmp/theirs; theirs=$?
    levain devices $device > /tmp/ours; ours=$?
    if [ $theirs$ours = 00 ] && cmp -s /tmp/theirs /tmp/ours; then echo "same: $1 $(grep -E '^(TYPE|PTTYPE|PART_ENTRY_SCHEME)=' /tmp/ours | tr '\\n' ' ')"
    else echo "different: $1 $device"; cat /tmp/theirs; echo "levain ($ours, blkid $theirs):"; cat /tmp/ours; fi
  done
}
clear() { for device in /dev/vdc /dev/vdd; do dd if=/dev/zero of=$device bs=1M 2>/dev/null; done; }
same gpt /dev/vda; same gpt-partition "/dev/vda1 /dev/vda4"
same dos /dev/vdb; same dos-partition "/dev/vdb1 /dev/vdb2 /dev/vdb5 /dev/vdb6 /dev/vdb7"
for version in 0.90 1.0 1.1 1.2; do
  clear; mdadm -q --create /dev/md9 --run --metadata=$version --level=1 --raid-devices=2 --assume-clean /dev/vdc /dev/vdd </dev/null
  mdadm -q --stop /dev/md9; same md-$version "/dev/vdc /dev/vdd"
done
for format in ddf imsm; do
  clear; mdadm -q --create /dev/md9 --run --metadata=$format --raid-devices=2 /dev/vdc /dev/vdd </dev/null
  mdadm -q --stop /dev/md9; same $format "/dev/vdc /dev/vdd"
done
clear; integritysetup -q format /dev/vdc </dev/null; same integrity /dev/vdc
clear; lvm pvcreate -qq -y /dev/vdc; lvm vgcreate -qq vg /dev/vdc; same lvm /dev/vdc
echo all told; poweroff -f
`;

async function guestInitramfs(): Promise<string> {
  const { modulesDir, version } = await debianKernel("full");
  const tree = scratchDirectory();
  writeTree(tree, {
    ...busyboxEntries(INIT),
    ...(await guestPrograms(...PROGRAMS)),
    "/bin/levain": { file: levainInit() },
  });
  const target = join(tree, "lib/modules", version);
  mkdirSync(target, { recursive: true });
  for (const directory of [
    ...DRIVERS.map((name) => `kernel/drivers/${name}`),
    "kernel/crypto",
    "kernel/lib",
    "kernel/arch",
  ])
    cpSync(join(modulesDir, directory), join(target, directory), { recursive: true });
  for (const file of ["modules.dep", "modules.alias", "modules.builtin", "modules.softdep"])
    cpSync(join(modulesDir, file), join(target, file));
  return packDirectory(tree);
}

async function tableDisk(name: string): Promise<string> {
  const recipe = TABLE_RECIPES.find((candidate) => candidate.name === name);
  if (recipe === undefined) throw new Error(`no recipe ${name}`);
  return await provideImage(recipe);
}

vmTest(
  "partitions, arrays and volumes of a running kernel are identified as by the real blkid",
  async () => ({
    kernel: "full",
    initrd: await guestInitramfs(),
    cmdline: "quiet",
    memoryMib: 1024,
    disks: [
      { bus: "virtio", file: await tableDisk("gpt") },
      { bus: "virtio", file: await tableDisk("dos") },
      { bus: "virtio", file: await blankDisk(64) },
      { bus: "virtio", file: await blankDisk(64) },
    ],
  }),
  async (vm) => {
    await vm.expect("all told", 240_000);
    const log = vm.log();
    expect(log).not.toContain("different:");
    for (const [what, count] of [
      ["gpt-partition PART_ENTRY_SCHEME=gpt", 2],
      ["dos-partition PART_ENTRY_SCHEME=dos", 4],
      ["md-0.90 TYPE=linux_raid_member", 2],
      ["md-1.0 TYPE=linux_raid_member", 2],
      ["md-1.1 TYPE=linux_raid_member", 2],
      ["md-1.2 TYPE=linux_raid_member", 2],
      ["ddf TYPE=ddf_raid_member", 2],
      ["imsm TYPE=isw_raid_member", 2],
      ["integrity TYPE=DM_integrity", 1],
      ["lvm TYPE=LVM2_member", 1],
    ] as const)
      expect([what, log.split(`same: ${what}`).length - 1]).toEqual([what, count]);
  },
);
