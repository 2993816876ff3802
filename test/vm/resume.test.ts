import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import type { Exit, Vm } from "../support/qemu.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// A guest really hibernates, and boots again from copies of its disks.

const BOOT_MS = 180_000;
const MEMORY_MIB = 384;
const POWERED_OFF: Exit = { status: 0, reason: "guest-shutdown" };

/** A root and a swap disk. */
interface Disks {
  readonly root: string;
  readonly swap: string;
}

async function freshDisks(): Promise<Disks> {
  const directory = scratchDirectory();
  const disks = { root: join(directory, "root"), swap: join(directory, "swap") };
  copyDisk(await rootImage("ext4", { label: "ROOT" }), disks.root);
  writeFileSync(disks.swap, "");
  truncateSync(disks.swap, 256 << 20);
  await run(["mkswap", "-q", "-L", "SWAP", disks.swap]);
  return disks;
}

function copyOf({ root, swap }: Disks): Disks {
  const directory = scratchDirectory();
  const copy = { root: join(directory, "root"), swap: join(directory, "swap") };
  copyDisk(root, copy.root);
  copyDisk(swap, copy.swap);
  return copy;
}

const hashes = ({ root, swap }: Disks) =>
  [root, swap].map((file) => createHash("sha256").update(readFileSync(file)).digest("hex"));

async function session(disks: Disks, words: string, body: (vm: Vm) => Promise<void>, memoryMib = MEMORY_MIB) {
  const options = await levainGuest({
    memoryMib,
    disks: [disks.root, disks.swap].map((file) => ({ file, keepsWrites: true })),
    cmdline: `root=LABEL=ROOT rw ${words}`,
  });
  await withVm({ ...options, name: `hibernation: ${words}` }, BOOT_MS, body);
}

const COUNT = "(n=0; while n=$((n+1)); do echo $n > /tmp/count; sleep 0.1; done) &";
const HIBERNATE = [
  "swapon /dev/vdb; mount -t tmpfs tmpfs /tmp",
  COUNT,
  "echo unsaved > /file; echo shutdown > /sys/power/disk",
  "sleep 1; before=$(cat /tmp/count); echo disk > /sys/power/state; echo awake-$((40 + 2))",
].join("\n");

async function hibernate(words = "resume=LABEL=SWAP"): Promise<Disks> {
  const disks = await freshDisks();
  await session(disks, words, async (vm) => {
    await vm.expect(/^ {2}resume +no hibernated system on \/dev\/vdb/m);
    await vm.expect("small-root: ready");
    vm.send(`${HIBERNATE}\n`);
    expect(await vm.expectExit(BOOT_MS)).toEqual(POWERED_OFF);
  });
  return disks;
}

test(
  "a hibernated guest goes on where it stopped, and with other memory its disks are left as they are",
  async () => {
    const disks = await hibernate();
    await session(copyOf(disks), "resume=LABEL=SWAP", async (vm) => {
      await vm.expect("resuming the hibernated system on /dev/vdb");
      await vm.expect("awake-42");
      vm.send("sleep 1; cat /file; [ $(cat /tmp/count) -gt $before ] && echo counting-$((40 + 2))\n");
      await vm.expect("\nunsaved");
      await vm.expect("counting-42");
      vm.send("poweroff -f\n");
      await vm.expectExit();
    });
    const before = hashes(disks);
    await session(
      disks,
      "resume=LABEL=SWAP rd.resume.policy=stop",
      async (vm) => {
        await vm.expect("/dev/vdb holds a hibernated system that could not be resumed");
        await vm.expect("the firmware's memory map has changed");
        await vm.expect(PROMPT);
        vm.send("poweroff -f\n");
        await vm.expectExit();
      },
      MEMORY_MIB + 64,
    );
    expect(hashes(disks)).toEqual(before);
  },
  QUEUE_TIMEOUT_MS,
);
