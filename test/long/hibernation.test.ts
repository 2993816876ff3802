import { expect, test } from "bun:test";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { keyFile } from "../support/encrypted-volumes.ts";
import { encryptedDisk, SLEEP_LUKS_UUID, swapFileDisk } from "../support/hibernation-disks.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { LevainImageOptions } from "../support/levain-image.ts";
import type { Exit, Vm } from "../support/qemu.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// Guests really hibernate, each on one disk, and boot again from copies of it. test/vm/resume.test.ts has the plain partition.

const BOOT_MS = 600_000;
const POWERED_OFF: Exit = { status: 0, reason: "guest-shutdown" };

interface Session {
  readonly file: string;
  readonly words: string;
  readonly image?: LevainImageOptions;
}

async function session({ file, words, image = {} }: Session, body: (vm: Vm) => Promise<void>): Promise<void> {
  const disks = [{ file, keepsWrites: true }];
  const options = await levainGuest({ memoryMib: 384, disks, image, cmdline: `${words} rw` });
  await withVm({ smp: 1, ...options, name: `hibernation: ${words}` }, BOOT_MS, body);
}

function copyOf({ file, ...rest }: Session): Session {
  const copy = join(scratchDirectory(), "copy");
  copyDisk(file, copy);
  return { file: copy, ...rest };
}

/** Boots, checks that nothing is resumed, and hibernates with a program running. */
const hibernate = (order: Session, swap: string) =>
  session(order, async (vm) => {
    await vm.expect(/^ {2}resume +no hibernated system on/m);
    await vm.expect("small-root: ready");
    const script = [
      `swapon ${swap}; mount -t tmpfs tmpfs /tmp; echo shutdown > /sys/power/disk`,
      "(n=0; while n=$((n+1)); do echo $n > /tmp/count; sleep 0.1; done) &",
      "echo kept > /file; sleep 1; before=$(cat /tmp/count); echo disk > /sys/power/state; echo awake-$((40 + 2))",
    ];
    vm.send(`${script.join("\n")}\n`);
    expect(await vm.expectExit(BOOT_MS)).toEqual(POWERED_OFF);
  });

async function expectAwake(vm: Vm): Promise<void> {
  await vm.expect("awake-42", BOOT_MS);
  vm.send("sleep 1; [ $(cat /tmp/count) -gt $before ] && echo counting-$((40 + 2)); poweroff -f\n");
  await vm.expect("counting-42");
  await vm.expectExit();
}

test(
  "LVM in LUKS: root and swap in one encrypted group",
  async () => {
    const words = `root=/dev/system/root resume=/dev/system/swap rd.luks.uuid=${SLEEP_LUKS_UUID} rd.luks.key=/etc/key`;
    const image = { files: { "/etc/key": await keyFile() } };
    const order = { file: await encryptedDisk(), words, image };
    await hibernate(order, "/dev/mapper/system-swap");
    await session(order, async (vm) => {
      await vm.expect("resuming the hibernated system on /dev/mapper/system-swap");
      await expectAwake(vm);
    });
  },
  QUEUE_TIMEOUT_MS,
);

const PAGE = 4096;

function readSignature(file: string, offset: number): string {
  const bytes = Buffer.alloc(10);
  const descriptor = openSync(file, "r");
  readSync(descriptor, bytes, 0, bytes.length, (offset + 1) * PAGE - bytes.length);
  closeSync(descriptor);
  return bytes.toString("latin1").replace(/\0+$/, "");
}

test(
  "a swap file: resumed by its offset, also with another kernel, and after a power cut booted as after any",
  async () => {
    const { file, offset } = await swapFileDisk();
    const order = { file, words: `root=LABEL=ROOT resume=LABEL=ROOT resume_offset=${offset}` };
    await hibernate(order, "/swapfile");
    expect(readSignature(file, offset)).toBe("S1SUSPEND");

    const cut = copyOf(order);
    await session(cut, async (vm) => {
      await vm.expect("resuming the hibernated system on /dev/vda");
      // The kernel removes the signature before it reads the image, which takes seconds.
      while (readSignature(cut.file, offset) === "S1SUSPEND") await Bun.sleep(5);
    });
    expect(readSignature(cut.file, offset)).toBe("SWAPSPACE2");
    await session(cut, async (vm) => {
      await vm.expect("no hibernated system on /dev/vda");
      await vm.expect("small-root: ready");
      vm.send("cat /file; sync; mount -o remount,ro /; poweroff -f\n");
      await vm.expect("\nkept");
      await vm.expectExit();
    });
    await run(["e2fsck", "-fn", cut.file]);

    // On x86-64 the kernel that loads an image may be another one (CONFIG_ARCH_HIBERNATION_HEADER).
    await session({ ...copyOf(order), image: { kernel: "full" } }, async (vm) => {
      await vm.expect("resuming the hibernated system on /dev/vda");
      await expectAwake(vm);
    });
    await session(copyOf(order), async (vm) => {
      await vm.expect("resuming the hibernated system on /dev/vda");
      await expectAwake(vm);
    });
  },
  QUEUE_TIMEOUT_MS,
);
