import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// Filesystems whose drivers ask for others only when they mount: checksums, character sets.
const MAKE: readonly [type: string, kernel: "cloud" | "full", script: string][] = [
  ["f2fs", "full", 'truncate -s 96M "$1"; mkfs.f2fs -q -l FLASH "$1"; sload.f2fs -f "$2" "$1"'],
  ["udf", "cloud", 'genisoimage -quiet -udf -R -J -V FLASH -o "$1" "$2"'],
];

async function medium(script: string): Promise<string> {
  const directory = scratchDirectory();
  const tree = join(directory, "tree");
  mkdirSync(tree);
  copyFileSync(await rootImage("squashfs-lz4"), join(tree, "newroot.sfs"));
  await runScript(script, [join(directory, "medium"), tree]);
  return join(directory, "medium");
}

for (const [type, kernel, script] of MAKE) {
  vmTest(
    `an image on ${type} is booted, with the modules that its driver asks for`,
    async () =>
      levainGuest({
        image: { kernel },
        disks: [await medium(script)],
        cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay",
        memoryMib: 768,
      }),
    async (vm) => {
      await vm.expect(`small-root: mount /run/levain/medium ${type} /dev/vda ro,`);
      await vm.expect("small-root: ready");
    },
  );
}

// Every filesystem that is known by its superblock, that Debian's kernel has a driver for, and that no other test mounts.
const RARE: readonly [type: string, script: string][] = [
  ["jfs", 'truncate -s 20M "$1"; mkfs.jfs -q "$1"'],
  ["nilfs2", 'truncate -s 140M "$1"; mkfs.nilfs2 -q "$1"'],
  ["reiserfs", 'truncate -s 40M "$1"; mkreiserfs -q -ff "$1"'],
  ["minix", 'truncate -s 4M "$1"; mkfs.minix "$1"'],
  ["exfat", 'truncate -s 8M "$1"; mkfs.exfat "$1"'],
  ["romfs", 'head -c 9000 /bin/true > "$2/file"; genromfs -d "$2" -f "$1"'],
  ["vfat", 'truncate -s 8M "$1"; mkfs.vfat "$1"'],
];
const DRIVES = "abcdefghijklmnop";

async function rareDisk(script: string): Promise<string> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "tree"));
  const paths = [join(directory, "disk"), join(directory, "tree")];
  await runScript(`{ ${script}; } > /dev/null && truncate -s %512 "$1"`, paths);
  return join(directory, "disk");
}

vmTest(
  `roots on ${RARE.map(([type]) => type).join(", ")} are mounted by the usual image`,
  async () =>
    levainGuest({
      image: { kernel: "full" },
      disks: await Promise.all(RARE.map(([, script]) => rareDisk(script))),
      cmdline: "root=/dev/vda init=/none",
      memoryMib: 768,
    }),
  async (vm) => {
    for (const [index, [type]] of RARE.entries()) {
      const node = `/dev/vd${DRIVES[index]}`;
      if (index > 0) vm.send(`levain retry root=${node}\n`);
      await vm.expect(new RegExp(`^  mount +${node} ${type} at /sysroot, read-only`, "m"));
      await vm.expect("the root's init /none cannot be started");
      await vm.expect(PROMPT);
    }
  },
);
