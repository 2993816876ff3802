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

/** Two disks of its own for each kind of array, one for each kind of volume: so nothing has to be erased, and levain starts once. */
const ARRAYS = ["0.90", "1.0", "1.1", "1.2", "ddf", "imsm"];
const DISKS = Array.from("cdefghijklmnop", (letter) => `/dev/vd${letter}`);
const PARTITIONS = ["a", "a1", "a4", "b", "b1", "b2", "b5", "b6", "b7"].map((name) => `/dev/vd${name}`);
const [INTEGRITY = "", LVM = ""] = DISKS.slice(2 * ARRAYS.length);

// What needs a kernel that takes part: partitions that it made, and arrays and volumes of real tools.
const INIT = `
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin IMSM_NO_PLATFORM=1 IMSM_DEVNAME_AS_SERIAL=1
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mkdir -p /run /tmp /etc
modprobe -a virtio_pci virtio_blk md_mod raid1 dm_mod dm_integrity crc32c_generic 2>/dev/null; sleep 1
set -- ${DISKS.join(" ")}
for metadata in ${ARRAYS.join(" ")}; do
  case $metadata in ddf|imsm) level= ;; *) level="--level=1 --assume-clean" ;; esac
  mdadm -q --create /dev/md9 --run --metadata=$metadata $level --raid-devices=2 $1 $2 </dev/null
  mdadm -q --stop /dev/md9; shift 2
done
integritysetup -q format ${INTEGRITY} </dev/null
lvm pvcreate -qq -y ${LVM}; lvm vgcreate -qq vg ${LVM}
devices="${[...PARTITIONS, ...DISKS].join(" ")}"
levain devices $devices > /tmp/ours; echo "levain says $?"; echo >> /tmp/ours
for device in $devices; do blkid -p -o export $device || echo "blkid says $?"; echo; done > /tmp/theirs
cat /tmp/ours; cmp -s /tmp/theirs /tmp/ours && echo "all the same" || diff /tmp/theirs /tmp/ours
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
      ...(await Promise.all(DISKS.map(async () => ({ bus: "virtio" as const, file: await blankDisk(64) })))),
    ],
  }),
  async (vm) => {
    await vm.expect("all told", 240_000);
    const log = vm.log();
    expect(log).toContain("levain says 0");
    expect(log).toContain("all the same");
    for (const [what, count] of [
      ["PART_ENTRY_SCHEME=gpt", 2],
      ["PART_ENTRY_SCHEME=dos", 5],
      ["VERSION=0.90.0", 2],
      ["VERSION=1.0", 2],
      ["VERSION=1.1", 2],
      ["VERSION=1.2", 2],
      ["TYPE=linux_raid_member", 8],
      ["TYPE=ddf_raid_member", 2],
      ["TYPE=isw_raid_member", 2],
      ["TYPE=DM_integrity", 1],
      ["TYPE=LVM2_member", 1],
    ] as const)
      expect([what, log.split("\n").filter((line) => line === what).length]).toEqual([what, count]);
  },
);
