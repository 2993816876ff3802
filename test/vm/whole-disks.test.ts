import { expect } from "bun:test";
import { assembleDisk, filesImage } from "../support/disk-images.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { textTree } from "../support/live-media.ts";
import { vmTest } from "../support/vm-test.ts";

const ROOT_X86_64 = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
const PARTUUID = "0a1b2c3d-1111-4000-8000-000000000017";

/** An EFI partition, another one for Linux, and the root of the type `type`. */
async function wholeDisk(type: string): Promise<string> {
  const other = await treeImage("ext2", textTree({ README: "no root" }), { label: "OTHER" });
  const root = await rootImage("ext4", { label: "INNER" });
  return assembleDisk([{ type: "U" }, { file: other }, { file: root, type, name: "root", uuid: PARTUUID }], {
    table: "gpt",
  });
}

const store = async (disk: string) => filesImage("ext4", { "/disk.img": disk }, { label: "STORE" });

vmTest(
  "an image of a whole disk boots its root partition",
  async () =>
    levainGuest({ disks: [await store(await wholeDisk(ROOT_X86_64))], cmdline: "root=LABEL=STORE rd.image=/disk.img" }),
  async (vm) => {
    await vm.expect("/disk.img partition 3 (ext4)");
    await vm.expect("small-root: mount /run/levain/lower ext4 /dev/loop0 ro,");
    await vm.expect("small-root: mount / overlay overlay rw,");
    await vm.expect("small-root: ready");
    // The loop device ends with the partition.
    vm.send(
      "cat /sys/block/loop0/loop/offset /sys/block/loop0/loop/sizelimit | sort -n | wc -l; cat /sys/block/loop0/loop/sizelimit\n",
    );
    await vm.expect(/^[1-9]\d{6,}\s*$/m);
  },
);

// Its other names, and an image whose root is not clear, are in test/boot/spellings.test.ts.
vmTest(
  "a partition table in a partition holds the root",
  async () => {
    const system = { file: await wholeDisk("L"), name: "system" };
    return levainGuest({
      disks: [await assembleDisk([{}, system], { table: "gpt" })],
      cmdline: `root=PARTUUID=${PARTUUID}`,
    });
  },
  async (vm) => {
    await vm.expect("small-root: mount / ext4 /dev/mapper/vda2p3 ro,");
    await vm.expect("small-root: ready");
    expect(vm.log()).toContain('/dev/mapper/vda2p3 ext4 "INNER"');
  },
);
