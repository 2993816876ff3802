import { expect, test } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { keyFile } from "../support/encrypted-volumes.ts";
import {
  firstPage,
  HIBERNATION_LUKS,
  type HibernationStack,
  hibernationDisks,
  KEY,
} from "../support/hibernation-disks.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { Exit, Vm } from "../support/qemu.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// Guests that really hibernate, and what the next boots make of copies of their disks.

const BOOT_MS = 240_000;
const POWERED_OFF: Exit = { status: 0, reason: "guest-shutdown" };
const LUKS_WORDS = `rd.luks.name=${HIBERNATION_LUKS}=vault rd.luks.key=/etc/key`;

/** The command line, and what activates the swap space in the running system. */
interface System {
  readonly words: string;
  readonly swapOn: string;
  readonly mounted: RegExp;
}

const SYSTEMS: Readonly<Record<HibernationStack, (disks: readonly string[]) => Promise<System>>> = {
  file: async ([disk = ""]) => ({
    words: `root=LABEL=ROOT rw resume=LABEL=ROOT resume_offset=${await firstPage(disk, "/swapfile")}`,
    swapOn: "swapon /swapfile",
    mounted: /small-root: mount \/ ext4 \/dev\/vda rw/,
  }),
  luks: async () => ({
    // The root lies outside of the volume.
    words: `root=LABEL=ROOT rw resume=LABEL=SWAP ${LUKS_WORDS} rd.luks.options=${HIBERNATION_LUKS}=nofail`,
    swapOn: `DM_DISABLE_UDEV=1 cryptsetup open --key-file ${KEY} /dev/vdb vault; swapon /dev/mapper/vault`,
    mounted: /small-root: mount \/ ext4 \/dev\/vda rw/,
  }),
  lvm: async () => ({
    words: `root=/dev/vg0/root rw resume=/dev/vg0/swap ${LUKS_WORDS}`,
    swapOn: "DM_DISABLE_UDEV=1 lvm lvchange -ay vg0/swap; swapon /dev/mapper/vg0-swap",
    mounted: /small-root: mount \/ ext4 \/dev\/mapper\/vg0-root rw/,
  }),
};

function copies(disks: readonly string[]): readonly string[] {
  const directory = scratchDirectory();
  return disks.map((disk, index) => {
    const copy = join(directory, `${index}`);
    copyDisk(disk, copy);
    return copy;
  });
}

async function session(disks: readonly string[], words: string, body: (vm: Vm) => Promise<void>): Promise<void> {
  const options = await levainGuest({
    memoryMib: 384,
    disks: disks.map((file) => ({ file, keepsWrites: true })),
    cmdline: words,
    image: { files: { "/etc/key": await keyFile() } },
  });
  await withVm({ ...options, name: `hibernation: ${words}` }, BOOT_MS, body);
}

const script = (swapOn: string) =>
  [
    `mount -t tmpfs tmpfs /tmp; ${swapOn}`,
    "(n=0; while n=$((n+1)); do echo $n > /tmp/count; sleep 0.1; done) &",
    "echo unsaved > /file; echo shutdown > /sys/power/disk",
    "sleep 1; before=$(cat /tmp/count); echo disk > /sys/power/state; echo awake-$((40 + 2))",
  ].join("\n");

async function powerOff(vm: Vm): Promise<void> {
  vm.send("poweroff -f\n");
  expect(await vm.expectExit()).toEqual(POWERED_OFF);
}

/** Disks of a system that was hibernated with a program running and a file that was not synced. */
async function hibernate({ words, swapOn, mounted }: System, fresh: readonly string[]): Promise<readonly string[]> {
  const disks = copies(fresh);
  await session(disks, words, async (vm) => {
    await vm.expect(/^ {2}resume +no hibernated system on /m);
    await vm.expect(mounted);
    await vm.expect("small-root: ready");
    vm.send(`${script(swapOn)}\n`);
    expect(await vm.expectExit(BOOT_MS)).toEqual(POWERED_OFF);
  });
  return disks;
}

async function expectAwake(vm: Vm): Promise<void> {
  await vm.expect("resuming the hibernated system on ");
  await vm.expect("awake-42", BOOT_MS);
  vm.send("sleep 1; cat /file; [ $(cat /tmp/count) -gt $before ] && echo counting-$((40 + 2))\n");
  await vm.expect("\nunsaved");
  await vm.expect("counting-42");
  await powerOff(vm);
}

for (const stack of ["file", "luks", "lvm"] as const) {
  test(
    `a system with its swap space in ${stack} goes on where it stopped, and after a power cut during that boots as after any other`,
    async () => {
      const fresh = await hibernationDisks(stack);
      const system = await SYSTEMS[stack](fresh);
      const disks = await hibernate(system, fresh);
      await session(copies(disks), system.words, expectAwake);
      const cut = copies(disks);
      await session(cut, `${system.words} loglevel=7`, async (vm) => {
        await vm.expect(/Image loading progress: +[1-9]\d%/, BOOT_MS);
        await vm.stop();
      });
      await session(cut, system.words, async (vm) => {
        await vm.expect(/^ {2}resume +no hibernated system on /m);
        await vm.expect(system.mounted);
        await vm.expect("small-root: ready");
        expect(vm.log()).not.toContain("could not");
        await powerOff(vm);
      });
    },
    QUEUE_TIMEOUT_MS,
  );
}
