import { btrfsPool } from "../support/btrfs-pool.ts";
import { assembleDisk } from "../support/disk-images.ts";
import { encryptedDisks } from "../support/encrypted-disks.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { compileStatic } from "../support/packed-program.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

const PASSPHRASE = "rye and water";
const WATCHER = "/no-devtmpfs";
const DISK = "7a0b1c2d-0000-4000-8000-0000000000a1";
const HALVES = ["7a0b1c2d-0000-4000-8000-0000000000b1", "7a0b1c2d-0000-4000-8000-0000000000b2"];

/** LUKS volumes that hold more than a filesystem. */
async function volumes() {
  const boot = await rootImage("ext2", { label: "BOOT" });
  const root = await rootImage("ext4", { label: "ROOT" });
  const partitioned = await assembleDisk([{ file: boot }, { file: root, name: "system" }], { table: "gpt" });
  const [one = "", other = ""] = await btrfsPool("raid1", 2, "POOL");
  const luks2 = (uuid: string | undefined, inside: string) => ({
    type: "luks2" as const,
    options: `--sector-size 512 --uuid ${uuid}`,
    keys: [PASSPHRASE],
    inside,
  });
  return encryptedDisks({
    partitioned: luks2(DISK, partitioned),
    one: luks2(HALVES[0], one),
    other: luks2(HALVES[1], other),
  });
}

vmTest(
  "a partition table in LUKS: the kernel does not look for it, levain does",
  async () =>
    levainGuest({
      disks: [(await volumes()).partitioned.volume],
      cmdline: `rd.luks.name=${DISK}=box root=PARTLABEL=system`,
    }),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect('root      /dev/mapper/box2 ext4 "ROOT" in /dev/vda crypto_LUKS');
    await vm.expect("small-root: mount / ext4 /dev/mapper/box2 ro,");
    vm.send("ls /dev/mapper; cat /sys/block/dm-*/dm/uuid\n");
    await vm.expect(/box\s+box1\s+box2\s/);
    await vm.expect(`part2-CRYPT-LUKS2-${DISK.replaceAll("-", "")}-box`);
  },
);

vmTest(
  "a btrfs of two LUKS disks, opened by one passphrase that is asked once",
  async () => {
    const { one, other } = await volumes();
    return levainGuest({
      disks: [one.volume, other.volume],
      cmdline: `${HALVES.map((uuid) => `rd.luks.uuid=${uuid}`).join(" ")} root=LABEL=POOL rootflags=subvol=@root`,
    });
  },
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect(`small-root: mount / btrfs /dev/mapper/luks-${HALVES[0]}`);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "without devtmpfs: the mapping's node and link are made, and gone with a wrong root",
  async () => {
    const files = { [WATCHER]: await compileStatic("no-devtmpfs.c") };
    return levainGuest({
      disks: [(await volumes()).partitioned.volume],
      image: { files },
      cmdline: `rdinit=${WATCHER} rd.luks.name=${DISK}=box root=LABEL=NONE rd.timeout=1`,
    });
  },
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect(PROMPT);
    vm.send("ls /dev/mapper /dev/dm-*; echo seen\n");
    await vm.expect(/\/dev\/mapper:\s+control\s+seen/);
    vm.send("levain retry root=LABEL=ROOT\n");
    await answer(vm, PASSPHRASE);
    await vm.expect("small-root: mount / ext4 /dev/mapper/box2 ro,");
  },
);
