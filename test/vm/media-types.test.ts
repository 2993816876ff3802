import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
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
