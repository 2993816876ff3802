import { statSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// $1 is the disk, $2 what the partition or slice at 2 MiB holds, $3 the size of that in MiB.
const TABLES = {
  "Apple's partition map": {
    node: "/dev/vda2",
    make: 'truncate -s "$(($3 + 4))M" "$1"; parted -s "$1" mklabel mac mkpart root ext2 2MiB "$(($3 + 2))MiB"',
  },
  "a slice of BSD": {
    node: "/dev/vda5",
    make: `
      truncate -s "$(($3 + 4))M" "$1"; echo "label: dos
      2048,,a5" | sfdisk -q "$1"
      truncate -s "$(($3 + 3))M" slice; parted -s slice mklabel bsd mkpart ext2 1MiB "$(($3 + 1))MiB"
      dd if=slice of="$1" bs=512 seek=2048 count=16 conv=notrunc status=none`,
  },
} as const;

for (const [name, { node, make }] of Object.entries(TABLES)) {
  vmTest(
    `a root in ${name}, of which the kernel makes partitions, is found by its label`,
    async () => {
      const root = await rootImage("ext4", { label: "ROOT" });
      const directory = scratchDirectory();
      const disk = join(directory, "disk");
      const fill = 'dd if="$2" of="$1" bs=1M seek=2 conv=notrunc,sparse status=none';
      await runScript(`${make}\n${fill}`, [disk, root, `${Math.ceil(statSync(root).size / 2 ** 20)}`], {
        cwd: directory,
      });
      return levainGuest({ image: { kernel: "full" }, disks: [disk], cmdline: "root=LABEL=ROOT", memoryMib: 768 });
    },
    async (vm) => {
      await vm.expect(`small-root: mount / ext4 ${node} ro,`);
      await vm.expect("small-root: ready");
    },
  );
}
