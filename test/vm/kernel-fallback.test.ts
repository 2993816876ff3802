import { expect } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSegments } from "../../src/desk/inspect/segments.ts";
import { scratchDirectory } from "../support/cache.ts";
import { levainImage } from "../support/levain-image.ts";
import { SHELL_PASSWORD_HASH } from "../support/locked-images.ts";
import type { Vm } from "../support/qemu.ts";
import { readCpio } from "../support/read-cpio.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

/** With BusyBox, as `levain image` makes it where nothing is said of a shell. */
const USUAL = { compress: "none" };

/** An image of `levain image` of which the boot medium has lost everything behind this part of /init's content, or this many bytes of it. */
async function cutImage(part: number): Promise<string> {
  const whole = readFileSync(await levainImage(USUAL));
  const init = readCpio(whole).members.find(({ name }) => name === "init");
  if (init === undefined) throw new Error("the image has no /init");
  const bytes = part < 1 ? Math.floor(init.data.length * part) : part;
  const file = join(scratchDirectory(), "image");
  writeFileSync(file, whole.subarray(0, init.data.byteOffset - whole.byteOffset + bytes));
  return file;
}

const PANIC = "Kernel panic - not syncing: No working init found";

/** The kernel cannot start /init, and starts nothing else; or stage0 is complete, and halts because the runtime is not. */
async function expectNoShell(vm: Vm): Promise<void> {
  const [seen] = await vm.expect(/Failed to execute \/init|rdshell=0 allows no shell: halting now|BusyBox v|^\/ # /m);
  expect(seen).not.toContain("BusyBox");
  expect(seen).not.toContain("#");
  if (seen.startsWith("Failed")) await expectEnd(vm);
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
  ["half of /init", 0.5],
] as const) {
  vmTest(
    `an image cut off behind ${what} ends without a shell`,
    async () => ({ initrd: await cutImage(bytes), cmdline: "rdshell=0 loglevel=7" }),
    expectNoShell,
  );
}

/** An image whose own parameters forbid a shell, and which has one all the same, in the compressed archive; that one is cut off near its end. */
async function cutArchive(): Promise<string> {
  const config = 'parameters = ["rdshell=0"]\n';
  const whole = readFileSync(await levainImage({ compress: "zstd:1", config, words: ["--busybox", BUSYBOX] }));
  const { segments } = readSegments(whole);
  expect(segments.map(({ compression }) => compression)).toEqual(["none", "zstd"]);
  const file = join(scratchDirectory(), "image");
  writeFileSync(file, whole.subarray(0, (segments[1]?.offset ?? 0) + Math.floor((segments[1]?.size ?? 0) * 0.9)));
  return file;
}

vmTest(
  "an image cut off in its compressed archive keeps the policy of its own parameters",
  async () => ({ initrd: await cutArchive(), cmdline: "root=LABEL=NONE rd.timeout=1 loglevel=7" }),
  async (vm) => {
    await vm.expect("Initramfs unpacking failed: ");
    await vm.expect("the kernel could not unpack all of the initramfs");
    await vm.expect('no device with label "NONE"');
    vm.send("\necho shell-$((6 * 7))\n");
    await vm.pause(1500);
    expect(vm.log()).not.toContain("BusyBox v");
    expect(vm.log()).not.toContain("shell-42");
  },
);

vmTest(
  "too little memory for /init ends without a shell",
  // Without root= the initramfs is a tmpfs of half of the memory, and what does not fit is left out.
  async () => {
    const initrd = await levainImage({ kernel: "none" });
    // The kernel, the image, and 1.7 times /init, which is nearly all of the image.
    const memoryMib = Math.ceil(46 + (2.7 * statSync(initrd).size) / (1 << 20));
    return { initrd, cmdline: "rdshell=0 loglevel=7", memoryMib };
  },
  async (vm) => {
    await vm.expect("Initramfs unpacking failed: write error");
    await expectNoShell(vm);
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
  "rdinit= finds no shell in an image that is locked, although it has BusyBox",
  async () => ({
    initrd: await levainImage({ ...USUAL, config: `shell-password = "${SHELL_PASSWORD_HASH}"\n` }),
    cmdline: "rdinit=/bin/busybox loglevel=7 -- sh",
  }),
  async (vm) => {
    const [seen] = await vm.expect(/Kernel panic - not syncing: |BusyBox v|^\/ # /m);
    expect(seen).toStartWith("Kernel panic");
    expect(vm.log()).toContain("Failed to execute /bin/busybox (error -13)");
    vm.send("\necho shell-$((6 * 7))\n");
    await vm.pause(1500);
    expect(vm.log()).not.toContain("shell-42");
  },
);
