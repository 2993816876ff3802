import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { btrfsPool } from "../support/btrfs-pool.ts";
import { cached, recipeKey } from "../support/cache.ts";
import { encryptedDisks } from "../support/encrypted-disks.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { compileStatic } from "../support/packed-program.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

const MIB = 1024 * 1024;
const BIG_SECTOR = 4096;
const PASSPHRASE = "rye and water";
const WATCHER = "/no-devtmpfs";
const DISK = "7a0b1c2d-0000-4000-8000-0000000000a1";
const HALVES = ["7a0b1c2d-0000-4000-8000-0000000000b1", "7a0b1c2d-0000-4000-8000-0000000000b2"];

/** LUKS volumes that hold more than a filesystem. */
async function volumes() {
  const [one = "", other = ""] = await btrfsPool("POOL");
  const luks2 = (uuid: string | undefined, inside: string, sectorBytes = 512) => ({
    type: "luks2" as const,
    options: `--sector-size ${sectorBytes} --uuid ${uuid}`,
    keys: [PASSPHRASE],
    inside,
  });
  return encryptedDisks({
    partitioned: luks2(DISK, await bigSectorDisk(), BIG_SECTOR),
    one: luks2(HALVES[0], one),
    other: luks2(HALVES[1], other),
  });
}

/** A disk whose table counts in sectors of 4096 bytes, which are cryptsetup's own choice on most disks; partition 2, "system", is a squashfs. */
async function bigSectorDisk(): Promise<string> {
  const system = await rootImage("squashfs-zstd");
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), system, statSync(system).mtimeMs);
  const directory = await cached("disks", key, (target) => {
    const boot = { image: { bytes: new Uint8Array(1 << 20) } };
    const root = { image: { bytes: readFileSync(system) }, name: "system" };
    const { bytes } = partitionDisk([boot, root], BIG_SECTOR);
    writeFileSync(join(target, "disk"), bytes);
    truncateSync(join(target, "disk"), Math.ceil(bytes.length / MIB) * MIB);
    return Promise.resolve();
  });
  return join(directory, "disk");
}

vmTest(
  "a btrfs of two LUKS disks opens with one passphrase, asked once; a stranger's copy of a member, there first, does not become one",
  async () => {
    const [copy = ""] = await btrfsPool("POOL");
    const { one, other } = await volumes();
    return levainGuest({
      disks: [copy, one.volume, other.volume],
      cmdline: `${HALVES.map((uuid) => `rd.luks.uuid=${uuid}`).join(" ")} root=LABEL=POOL rootflags=subvol=@root`,
    });
  },
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect(`small-root: mount / btrfs /dev/mapper/luks-${HALVES[0]}`);
    await vm.expect("small-root: ready");
    // The kernel has the same member twice: whichever it takes must be the one that the passphrase has opened.
    vm.send("echo devices $(ls /sys/fs/btrfs/*/devices) and $((40 + 2))\n");
    await vm.expect(/devices dm-\d dm-\d and 42/);
  },
);

vmTest(
  "a partition table in LUKS, without devtmpfs: levain reads it, the kernel does not; nodes and links are made, and removed with a wrong root",
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
    vm.send("levain retry root=PARTLABEL=system\n");
    await answer(vm, PASSPHRASE);
    await vm.expect("root      /dev/mapper/box2 squashfs in /dev/vda crypto_LUKS");
    await vm.expect("small-root: mount / squashfs /dev/mapper/box2 ro,");
    await vm.expect("small-root: ready");
    vm.send("ls /dev/mapper; cat /sys/block/dm-*/dm/uuid\n");
    await vm.expect(/box\s+box1\s+box2\s/);
    await vm.expect(`part2-CRYPT-LUKS2-${DISK.replaceAll("-", "")}-box`);
  },
);
