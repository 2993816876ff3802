import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { levainImage } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { readCpio } from "../support/read-cpio.ts";
import { vmTest } from "../support/vm-test.ts";

/** With BusyBox, as `levain image` makes it where nothing is said of a shell. */
const USUAL = { compress: "none" };

/** An image of `levain image` of which the boot medium has lost everything from `bytes` behind the beginning of /init's content. */
async function cutImage(bytes: number): Promise<string> {
  const whole = readFileSync(await levainImage(USUAL));
  const init = readCpio(whole).members.find(({ name }) => name === "init");
  if (init === undefined) throw new Error("the image has no /init");
  const file = join(scratchDirectory(), "image");
  writeFileSync(file, whole.subarray(0, init.data.byteOffset - whole.byteOffset + bytes));
  return file;
}

const PANIC = "Kernel panic - not syncing: No working init found";

/** /init has failed, and nothing else is started. */
async function expectPanic(vm: Vm): Promise<void> {
  await vm.expect("Failed to execute /init");
  await expectEnd(vm);
}

/** Waits for what comes first, the end or a shell. */
async function expectEnd(vm: Vm): Promise<void> {
  const [seen] = await vm.expect(/Kernel panic - not syncing: No working init found|BusyBox v|^\/ # /m);
  expect(seen).toBe(PANIC);
  vm.send("\necho shell-$((6 * 7))\n");
  await vm.pause(1500);
  expect(vm.log()).not.toContain("BusyBox v");
  expect(vm.log()).not.toContain("shell-42");
}

for (const [what, bytes] of [
  ["nothing but an empty /init", 0],
  ["the first 4 KiB of /init", 4096],
  ["half of /init", 50_000_000],
] as const) {
  vmTest(
    `an image cut off behind ${what} ends in a kernel panic, not in a shell`,
    async () => ({ initrd: await cutImage(bytes), cmdline: "rdshell=0 loglevel=7" }),
    expectPanic,
  );
}

vmTest(
  "too little memory for /init ends in a kernel panic, not in a shell",
  // Without root= the initramfs is a tmpfs of half of the memory, and what does not fit is left out.
  async () => ({
    initrd: await levainImage({ kernel: "none" }),
    cmdline: "rdshell=0 loglevel=7",
    memoryMib: 224,
  }),
  async (vm) => {
    await vm.expect("Initramfs unpacking failed: write error");
    await expectPanic(vm);
  },
);

vmTest(
  "an intact image contains nothing that the kernel would start in place of /init",
  // A directory is there, and cannot be started.
  async () => ({ initrd: await levainImage(USUAL), cmdline: "rdinit=/etc rdshell=0 loglevel=7" }),
  async (vm) => {
    await vm.expect("Failed to execute /etc");
    await expectEnd(vm);
  },
);

vmTest(
  "rdinit= finds no shell in an image whose own parameters say rdshell=0",
  async () => ({
    initrd: await levainImage({ ...USUAL, config: 'parameters = ["rdshell=0"]\n' }),
    cmdline: "rdinit=/bin/busybox loglevel=7 -- sh",
  }),
  async (vm) => {
    const [seen] = await vm.expect(/Kernel panic - not syncing: |BusyBox v|^\/ # /m);
    expect(seen).toStartWith("Kernel panic");
    vm.send("\necho shell-$((6 * 7))\n");
    await vm.pause(1500);
    expect(vm.log()).not.toContain("shell-42");
  },
);
