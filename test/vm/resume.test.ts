import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { CHEAP, PASSPHRASE, provideLuksImage } from "../support/luks/cryptsetup-image.ts";
import type { Vm } from "../support/qemu.ts";
import { smallRoot } from "../support/root-tree.ts";
import { answer } from "../support/unlocking.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// A guest really hibernates, and boots again from copies of its disks.

const BOOT_MS = 240_000;
const MEMORY_MIB = 384;
const SWAP_MIB = 224;
const LUKS = "6c657661-696e-4000-8000-00000000eeee";

function blank(mib: number): string {
  const file = join(scratchDirectory(), "disk");
  writeFileSync(file, "");
  truncateSync(file, mib << 20);
  return file;
}

const copyOf = (disks: readonly string[]) =>
  disks.map((disk) => {
    const copy = join(scratchDirectory(), "copy");
    copyDisk(disk, copy);
    return copy;
  });

const hashes = (disks: readonly string[]) =>
  disks.map((file) => createHash("sha256").update(readFileSync(file)).digest("hex"));

async function session(
  disks: readonly string[],
  words: string,
  body: (vm: Vm) => Promise<void>,
  memoryMib = MEMORY_MIB,
): Promise<void> {
  const options = await levainGuest({
    memoryMib,
    disks: disks.map((file) => ({ file, keepsWrites: true })),
    cmdline: `root=LABEL=ROOT rw ${words}`,
  });
  await withVm({ smp: 1, ...options, name: `hibernation: ${words}` }, BOOT_MS, body);
}

/** Lets the guest hibernate, with a program that counts and a file that is not on the disk yet. */
async function hibernate(vm: Vm, swap: string): Promise<void> {
  await vm.expect("small-root: ready");
  const lines = [
    `${swap}; mount -t tmpfs tmpfs /tmp`,
    "(n=0; while n=$((n+1)); do echo $n > /tmp/count; sleep 0.1; done) &",
    "echo unsaved > /file; echo shutdown > /sys/power/disk",
    "sleep 1; before=$(cat /tmp/count); echo disk > /sys/power/state; echo awake-$((40 + 2))",
  ];
  vm.send(`${lines.join("\n")}\n`);
  expect(await vm.expectExit(BOOT_MS)).toEqual({ status: 0, reason: "guest-shutdown" });
}

/** Expects that it goes on where it stopped. */
async function expectAwake(vm: Vm): Promise<void> {
  await vm.expect("awake-42");
  vm.send("sleep 1; cat /file; [ $(cat /tmp/count) -gt $before ] && echo counting-$((40 + 2))\n");
  await vm.expect("\nunsaved");
  await vm.expect("counting-42");
}

test(
  "a guest that hibernated to a swap file goes on where it stopped, and with other memory it is left as it is",
  async () => {
    const disk = blank(SWAP_MIB + 64);
    await run(["mkfs.ext4", "-q", "-b", "4096", "-L", "ROOT", "-d", await smallRoot(), disk]);
    await session([disk], "", (vm) =>
      hibernate(vm, `dd if=/dev/zero of=/swap bs=1M count=${SWAP_MIB}; mkswap /swap; swapon /swap`),
    );
    const offset = (await run(["debugfs", "-R", "bmap /swap 0", disk])).trim();
    const words = `resume=LABEL=ROOT resume_offset=${offset}`;
    await session(copyOf([disk]), words, async (vm) => {
      await vm.expect("resuming the hibernated system on /dev/vda");
      await expectAwake(vm);
    });
    const before = hashes([disk]);
    const stop = async (vm: Vm) => {
      await vm.expect("/dev/vda holds a hibernated system that could not be resumed");
      await vm.expect("the firmware's memory map has changed");
      await vm.expect("rescue shell");
      vm.send("poweroff -f\n");
      await vm.expectExit();
    };
    await session([disk], `${words} rd.resume.policy=stop`, stop, MEMORY_MIB + 64);
    expect(hashes([disk])).toEqual(before);
  },
  QUEUE_TIMEOUT_MS,
);

test(
  "a guest that hibernated to an encrypted volume goes on after the passphrase, also if the power failed meanwhile",
  async () => {
    const script = `cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --uuid ${LUKS} ${CHEAP} $1 key`;
    const { path } = await provideLuksImage({ name: "hibernation", script, mib: SWAP_MIB + 16 });
    const disks = copyOf([await rootImage("ext4", { label: "ROOT" }), path]);
    const words = `rd.luks.name=${LUKS}=cryptswap rd.luks.options=nofail resume=/dev/mapper/cryptswap`;
    await session(disks, words, async (vm) => {
      await answer(vm, PASSPHRASE);
      await vm.expect(/^ {2}resume +no hibernated system on \/dev\/mapper\/cryptswap/m);
      await hibernate(vm, "mkswap /dev/mapper/cryptswap; swapon /dev/mapper/cryptswap");
    });
    await session(disks, words, async (vm) => {
      await answer(vm, PASSPHRASE);
      await vm.expect("resuming the hibernated system on /dev/mapper/cryptswap");
      await Bun.sleep(Math.random() * 1000);
    });
    await session(disks, words, async (vm) => {
      await answer(vm, PASSPHRASE);
      const [said] = await vm.expect(/awake-42|small-root: ready/);
      console.log(`after the power failed during the resume: ${said}`);
    });
    const { success } = Bun.spawnSync(["e2fsck", "-f", "-p", disks[0] ?? ""]);
    expect(success).toBe(true);
  },
  QUEUE_TIMEOUT_MS,
);
