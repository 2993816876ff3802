import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { GUEST } from "../support/guest-architecture.ts";
import { type Entry, packInitramfs } from "../support/initramfs.ts";
import { press } from "../support/keyboard.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { levainInit } from "../support/levain-image.ts";
import { SHELL_PASSWORD, SHELL_PASSWORD_HASH } from "../support/locked-images.ts";
import type { Vm } from "../support/qemu.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

const HALTS = "rdshell=0 allows no shell: halting now";
/** Whoever asks for a shell in every way at once. */
const EVERY_WORD = "rdshell=1 rd.shell rescueshell=yes single rd.break=prepare,mount rd.emergency=shell rd.rescue";

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

/** A guest whose image asks for a password. */
function askingGuest(words: string) {
  return async () =>
    levainGuest({
      disks: [await rootImage("ext4", { label: "ROOT" })],
      cmdline: `root=LABEL=ROOT ${words}`,
      image: { config: `shell-password = "${SHELL_PASSWORD_HASH}"\n` },
    });
}

/** Keys of the screen that change, kill or leave something on a Linux console, but for those that end the machine. */
const CHORDS = [
  ...["ctrl+z", "ctrl+backslash", "ctrl+s", "ctrl+q", "ctrl+o", "ctrl+v", "esc", "tab", "scroll_lock", "shift+pgup"],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((number) => `alt+f${number}`),
  ...["alt+right", "alt+left", "ctrl+alt+f2", "ctrl+alt+f1", "alt+up"],
  // What Documentation/admin-guide/sysrq.rst lists, without what ends the machine or kills.
  ..."0 9 h d j l m n p q r s t u v w x z".split(" ").map((key) => `alt+sysrq+${key}`),
];
/** The same by a serial line. */
const BYTES = "\x1a \x1c \x00 \x1b \x1b[A \x1b[11~ \x11 \x13 \x0f \x16 \xff ~. +++ATH0".split(" ");

vmTest(
  "with rdshell=ask no key, break or signal starts a shell, before the prompt or at it",
  askingGuest(`${EVERY_WORD} console=tty0 console=${GUEST.serial} sysrq_always_enabled`),
  async (vm) => {
    vm.send("\x03\x1c\x1a\n");
    await vm.expect("the rescue shell, 3 tries left");
    for (const bytes of BYTES) vm.send(bytes);
    for (const key of "hrtmw") {
      await vm.monitor("chardev-send-break", { id: "serial0" });
      vm.send(key);
    }
    await press(vm, ...CHORDS);
    await vm.expect("sysrq: ");
    vm.send("\n");
    await vm.expect("the rescue shell, 2 tries left");
    vm.send("root\n");
    await vm.expect("the rescue shell, the last try");
    // The runtime that asks is killed: process 1 does not know the password.
    await press(vm, "alt+sysrq+i");
    await vm.expect("rdshell=ask: levain has ended, and only it can ask: halting now");
    await expectNoShell(vm);
  },
);

vmTest("the password starts the shell, and the boot goes on behind it", askingGuest("rd.break=mount"), async (vm) => {
  await vm.expect("password: ");
  vm.send("wrong\n");
  await vm.expect(/wrong password\n(?:.*\n)*?.*2 tries left\n +password: /);
  vm.send(`${SHELL_PASSWORD}\n`);
  await vm.expect(PROMPT);
  expect(vm.log()).not.toContain(SHELL_PASSWORD);
  vm.send("cat /etc/levain.password | cut -c 1-9; exit\n");
  await vm.expect("$argon2id");
  await vm.expect("small-root: ready");
});

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
