import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// Every filesystem that is known by its superblock, that Debian's kernel has a driver for, and that no other test mounts. The drivers of
// f2fs and udf ask for others only when they mount: checksums, character sets. overlayfs takes no exfat as a layer.
const DISKS: readonly (readonly [type: string, script: string])[] = [
  ["exfat", 'truncate -s 8M "$1"; mkfs.exfat "$1"'],
  ["f2fs", 'truncate -s 96M "$1"; mkfs.f2fs -q "$1"; sload.f2fs -f "$2" "$1"'],
  ["udf", 'genisoimage -quiet -udf -R -J -o "$1" "$2"'],
  ["jfs", 'truncate -s 20M "$1"; mkfs.jfs -q "$1"'],
  ["nilfs2", 'truncate -s 140M "$1"; mkfs.nilfs2 -q "$1"'],
  ["reiserfs", 'truncate -s 40M "$1"; mkreiserfs -q -ff "$1"'],
  ["minix", 'truncate -s 4M "$1"; mkfs.minix "$1"'],
  ["romfs", 'head -c 9000 /bin/true > "$2/file"; genromfs -d "$2" -f "$1"'],
];
const [, , ...LAYERS] = DISKS;
/** The kernel may find the disks in any order. */
const linkOf = (type: string) => `/dev/disk/by-id/virtio-${type}`;

async function disk(script: string): Promise<string> {
  const directory = scratchDirectory();
  const [file, tree] = [join(directory, "disk"), join(directory, "tree")];
  mkdirSync(tree);
  copyFileSync(await rootImage("squashfs-lz4"), join(tree, "newroot.sfs"));
  await runScript(`{ ${script}; } > /dev/null && truncate -s %512 "$1"`, [file, tree]);
  return file;
}

vmTest(
  `a root on exfat, a medium on f2fs, and layers on ${LAYERS.map(([type]) => type).join(", ")} are mounted by the usual image`,
  async () =>
    levainGuest({
      image: { kernel: "full" },
      disks: await Promise.all(DISKS.map(async ([type, script]) => ({ file: await disk(script), serial: type }))),
      cmdline: `root=${linkOf("exfat")} init=/none`,
      memoryMib: 768,
    }),
  async (vm) => {
    await vm.expect(/^ {2}mount +\/dev\/vd[a-h] exfat at \/sysroot, read-only/m);
    await vm.expect("the root's init /none cannot be started");
    await vm.expect(PROMPT);
    const layers = LAYERS.map(([type]) => `rd.layer=${linkOf(type)}`).join(" ");
    vm.send(`levain retry root=${linkOf("f2fs")} rd.image=/newroot.sfs ${layers} init=/sbin/init\n`);
    await vm.expect("small-root: mount /run/levain/medium f2fs /dev/vd");
    for (const [index, [type]] of LAYERS.entries())
      await vm.expect(`small-root: mount /run/levain/lower/${index + 1} ${type} /dev/vd`);
    await vm.expect("small-root: mount / overlay");
    await vm.expect("small-root: ready");
  },
);
