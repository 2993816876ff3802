import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { type Entry, packInitramfs } from "../support/initramfs.ts";
import { type LevainGuest, levainGuest, PROMPT } from "../support/levain-guest.ts";
import { type LevainImageOptions, levainInit } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

const HALTS = "rdshell=0 allows no shell: halting now";
/** Whoever asks for a shell in every way at once. */
const EVERY_WORD = "rdshell=1 rd.shell rescueshell=yes single rd.break=prepare,mount rd.emergency=shell rd.rescue";

/** A guest with an ext4 root labelled ROOT. */
function guest(cmdline: string, image: LevainImageOptions = {}) {
  return async () =>
    levainGuest({ disks: [await rootImage("ext4", { label: "ROOT" })], cmdline, image } as LevainGuest);
}

/** Waits for what comes first, the halt or a shell. */
async function expectHalt(vm: Vm): Promise<void> {
  const [seen] = await vm.expect(/rdshell=0 allows no shell: halting now|BusyBox v|levain:\S* # |^\/ # /m);
  expect(seen).toBe(HALTS);
  await expectNoShell(vm);
}

/** Types what would be answered by a shell, on whatever listens, and looks that nothing has answered. */
async function expectNoShell(vm: Vm): Promise<void> {
  vm.send("\n\necho shell-$((6 * 7))\n");
  await vm.pause(2000);
  expect(vm.log()).not.toMatch(PROMPT);
  expect(vm.log()).not.toContain("BusyBox v");
  expect(vm.log()).not.toContain("shell-42");
}

// More of them, one parameter at a time, are in test/boot/rescue.test.ts.
for (const [what, cmdline, image] of [
  ["every other word before and behind it", `root=LABEL=WRONG rd.timeout=1 ${EVERY_WORD} rdshell=0 ${EVERY_WORD}`, {}],
  ["BusyBox as init", "root=/dev/ram0 rdshell=0 init=/bin/busybox -- sh", {}],
] as const) {
  vmTest(`rdshell=0 holds against ${what}`, guest(cmdline, image), async (vm) => {
    await expectHalt(vm);
  });
}

vmTest(
  "rdshell=0 of the image holds for stage0 too, whatever the command line says",
  async () => {
    // A program that is no levain at all: the runtime ends at once, and stage0 is left alone with its policy.
    const entries: Record<string, Entry> = {
      "/init": { file: levainInit() },
      "/bin/busybox": { file: BUSYBOX },
      "/etc/levain.cmdline": { text: '"rd.shell=0"\n' },
    };
    // Without its last feature, stage0 starts no runtime.
    return { initrd: await packInitramfs(entries), cpu: "qemu64", cmdline: EVERY_WORD };
  },
  async (vm) => {
    await vm.expect("this CPU is too old for levain's runtime");
    await expectHalt(vm);
  },
);

vmTest(
  "with rdshell=0 and rd.handover=stay, whatever root= says, an initramfs starts the init that it has",
  () => {
    const script = join(scratchDirectory(), "init");
    writeFileSync(
      script,
      '#!/bin/sh\necho "own-init $$ $(basename $0) $*"\ngrep " / " /proc/mounts\nexec sleep 1000\n',
      { mode: 0o755 },
    );
    return levainGuest({
      cmdline: "root=LABEL=NOT-THERE rd.handover=stay rdshell=0 word",
      image: { files: { "/sbin/init": script } },
    });
  },
  async (vm) => {
    await vm.expect("own-init 1 init word");
    await vm.expect("rootfs / rootfs rw");
    await expectNoShell(vm);
    expect(vm.log()).not.toContain("waiting for");
  },
);
