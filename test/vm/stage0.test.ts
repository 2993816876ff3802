import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { type Entry, packInitramfs } from "../support/initramfs.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { levainInit } from "../support/levain-image.ts";
import { compileStatic, packedChild } from "../support/packed-program.ts";
import type { Vm } from "../support/qemu.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

// stage0 with a small C program in the place of Bun: test/support/stage0-child.c does as badly as CHILD= or /how says.

const WITH_BUSYBOX: Record<string, Entry> = { "/bin/busybox": { file: BUSYBOX } };

function guest(
  cmdline: string,
  entries: Readonly<Record<string, Entry>> = {},
  more: Omit<VmTestOptions, "cmdline"> = {},
) {
  return async (): Promise<VmTestOptions> => {
    const initrd = await packInitramfs({ "/init": { file: await packedChild() }, ...entries });
    return { initrd, cmdline, memoryMib: 256, ...more };
  };
}

/** check-init, and enough beside it that the check sees whether the initramfs has been emptied. */
async function checkInitEntries(): Promise<Record<string, Entry>> {
  const ballast = join(scratchDirectory(), "ballast");
  writeFileSync(ballast, Buffer.alloc(20 << 20, 1));
  return { "/check-init": { file: await compileStatic("check-init.c") }, "/usr/share/ballast": { file: ballast } };
}

/** An initramfs that leaves itself for a tmpfs, as a classic initrd would be a real mount, and starts the program there. */
async function realMountEntries(): Promise<Record<string, Entry>> {
  const script = `#!/bin/busybox sh
/bin/busybox mkdir /root
/bin/busybox mount -t tmpfs tmpfs /root
/bin/busybox mkdir /root/bin
/bin/busybox cp /program /check-init /root
/bin/busybox cp /bin/busybox /root/bin
exec /bin/busybox switch_root /root /program
`;
  return {
    ...WITH_BUSYBOX,
    ...(await checkInitEntries()),
    "/program": { file: await packedChild() },
    "/init": { text: script },
  };
}

/** In the rescue shell: has levain started again, to behave in this way. */
async function startAgain(vm: Vm, how: string): Promise<void> {
  await vm.expect(PROMPT);
  vm.send(`echo ${how} > /how; exit\n`);
}

/** What the shell prints for a command, which must not be what the echo of the command looks like. */
async function ask(vm: Vm, command: string, answer: RegExp): Promise<void> {
  await vm.expect(PROMPT);
  vm.send(`${command}\n`);
  await vm.expect(answer);
}

vmTest(
  "check-init checks what the kernel gives an init",
  async () => ({
    initrd: await packInitramfs({ "/init": { file: await compileStatic("check-init.c") } }),
    cmdline: "-- bare",
    memoryMib: 256,
  }),
  async (vm) => {
    await vm.expect(/check-init: \d+ passed, 0 failed/);
  },
);

vmTest(
  "stage0 starts as the only file of an initramfs, gives its child the pipe, and waits if the boot cannot continue",
  guest("CHILD=describe LEVAIN_EVIL=1 BUN_OPTIONS=--bad LD_TRACE_LOADED_OBJECTS=1 NODE_OPTIONS=-x GOOD=2 word -- more"),
  async (vm) => {
    await vm.expect("the boot cannot continue");
    const told = [...vm.log().matchAll(/^child: (.*)$/gm)].map((match) => match[1] ?? "");
    expect(told[0]).toMatch(/^pid [2-9]\d*, thread-local 42, zeros 0, umask 22$/);
    expect(told.filter((line) => line.startsWith("argument"))).toEqual(
      ["/init", "word", "more"].map((word) => `argument ${word}`),
    );
    expect(told.filter((line) => line.startsWith("variable")).sort()).toEqual(
      [
        "BUN_JSC_thresholdForFTLOptimizeAfterWarmUp=1000000",
        "BUN_JSC_thresholdForJITAfterWarmUp=20000",
        "BUN_JSC_thresholdForOptimizeAfterWarmUp=1000000",
        "CHILD=describe",
        "GOOD=2",
        "HOME=/",
        "LEVAIN_HANDOVER_FD=198",
        "LEVAIN_WORKER_FD=196",
        "TERM=linux",
      ].map((word) => `variable ${word}`),
    );
    const descriptors = told.filter((line) => line.startsWith("descriptor"));
    expect(descriptors.slice(0, 3)).toEqual([0, 1, 2].map((fd) => `descriptor ${fd} /dev/console`));
    expect(descriptors.slice(3, -2).every((line) => /\/memfd:lib\S+ \(deleted\) cloexec$/.test(line))).toBeTrue();
    expect(descriptors.at(-2)).toMatch(/^descriptor 196 socket:\[\d+\] cloexec$/);
    expect(descriptors.at(-1)).toMatch(/^descriptor 198 pipe:\[\d+\] cloexec$/);
    expect(vm.log()).toContain("ended without a valid handover: none was sent");
    expect(vm.log()).toContain("this image has no shell");
  },
);

vmTest(
  "every way to die ends in a shell, and exit starts levain again",
  guest("CHILD=abort", { ...WITH_BUSYBOX, "/bin/sh": { link: "busybox" } }),
  async (vm) => {
    await vm.expect("levain: crashed: killed by SIGABRT (6)");
    await vm.expect("rescue shell: `exit` starts levain again");
    for (const [how, words] of [
      ["silence", "levain: crashed: killed by SIGABRT"],
      ["segv", "levain: crashed: killed by SIGSEGV (11)"],
      ["kill", "levain: hint: a program or a person sent this signal"],
      ["exit3", "levain: ended with exit status 3"],
      ["garbage", "a valid handover: it is truncated"],
      ["cut", "a valid handover: "],
      ["big", "child: the second write: Resource temporarily unavailable"],
      ["message-then-abort", "levain: crashed: killed by SIGABRT"],
      ["missing-init", "could not start /no/init: not found"],
    ] as const) {
      await startAgain(vm, how);
      await vm.expect(words);
    }
    await vm.expect("`exit` tries to start the real init again");
    await ask(vm, "busybox cut -f1 /proc/sys/kernel/printk", /^7$/m);
    await startAgain(vm, "describe");
    await vm.expect("could not start /no/init: not found");
    expect(vm.log()).not.toContain("child: argument");
  },
);

vmTest(
  "after a SIGKILL the kernel's message about it is quoted, and nothing else; a root that cannot be entered is reported",
  guest("CHILD=sak", { ...WITH_BUSYBOX, "/bin/sh": { link: "busybox" } }),
  async (vm) => {
    await vm.expect("levain: killed by SIGKILL (9)");
    await vm.expect(/levain: kernel: tty tty1: SAK: killed process \d+ \(init\): by fd#\d+/);
    await vm.expect("hint: the secure attention key (SAK, Alt-SysRq-K) kills every program that has the terminal open");
    await startAgain(vm, "out-of-memory");
    await vm.expect(/levain: kernel: Out of memory: Killed process \d+ \(init\)/);
    await vm.expect("hint: the machine ran out of memory: give it more");
    await startAgain(vm, "forged-log");
    await vm.expect("hint: a program or a person sent this signal");
    await startAgain(vm, "kill-all");
    await vm.expect("levain: kernel: sysrq: Kill All Tasks");
    await vm.expect("hint: Alt-SysRq-I kills every program but process 1");
    expect(vm.log().match(/hint: the machine ran out of memory/g)).toHaveLength(1);
    // A root that cannot be entered is reported, and there is still a shell.
    await startAgain(vm, "missing-root");
    await vm.expect("could not make /nowhere the root (switch_root): not found");
    await ask(vm, "echo still-$((40 + 2))", /still-42/);
  },
);

vmTest(
  "the shell has a terminal of its own, job control and a sane mode; PID 1 reaps orphans and survives every signal",
  guest("CHILD=raw-terminal", { ...WITH_BUSYBOX, "/bin/sh": { link: "busybox" }, "/bin/stty": { link: "busybox" } }),
  async (vm) => {
    await vm.expect("SIGABRT");
    await ask(vm, "sleep 1000 & jobs | busybox sed -n 's/.*Running.*/at-work/p'", /^at-work$/m);
    await ask(vm, "busybox stty -a | busybox sed -n 's/^isig icanon .* echo .*/sane/p'", /^sane$/m);
    await ask(vm, "cat /proc/self/stat | busybox cut -d' ' -f7", /^1088$/m); // 4:64, ttyS0
    expect(vm.log()).not.toContain("can't access tty");
    await vm.expect(PROMPT);
    // A key that is pressed before the program runs goes to the shell.
    vm.send("sh -c 'echo asleep-$((3 - 2)); exec sleep 500'\n");
    await vm.expect("asleep-1");
    vm.send("\u0003");
    await ask(vm, "echo interrupted-$((6 * 7))", /interrupted-42/);
    await startAgain(vm, "orphans");
    await vm.expect("child: 0 zombies");
    await startAgain(vm, "kill-parent");
    await vm.expect("ended without a valid handover");
    await startAgain(vm, "poweroff");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

// rdshell=0 after a crash is in paged.test.ts.
vmTest("panic=5: says so and reboots", guest("CHILD=abort panic=5", WITH_BUSYBOX), async (vm) => {
  const start = performance.now();
  await vm.expect("rebooting in 5 s");
  const begun = performance.now();
  await vm.expect("rebooting in 1 s");
  expect(await vm.expectExit()).toMatchObject({ reason: "guest-reset" });
  // What this process sees late makes it look shorter.
  expect(performance.now() - begun).toBeGreaterThan(2500);
  expect(begun).toBeGreaterThan(start);
  expect(vm.log()).not.toContain("rescue shell:");
});

vmTest(
  "the last message is printed before the power is switched off",
  guest("CHILD=chatty loglevel=1 reboot=t,force"),
  async (vm) => {
    await vm.expect("line 099 of a long speech\n");
  },
);

vmTest(
  "rd.emergency=poweroff, with the kernel's messages silenced: every sentence is printed once",
  guest("CHILD=abort quiet rd.emergency=poweroff"),
  async (vm) => {
    await vm.expect("levain: crashed: killed by SIGABRT");
    await vm.expect("levain: powering off now");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
    expect(vm.log().match(/killed by SIGABRT/g)).toHaveLength(1);
  },
);

vmTest("a CPU below x86-64-v2 gets a message", guest("rd.emergency=poweroff", {}, { cpu: "qemu64" }), async (vm) => {
  await vm.expect("this CPU is too old for levain's runtime: it has no SSSE3 (needed: x86-64-v2");
  expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
});

vmTest(
  "switch_root: a missing init can be repaired, the new root is never emptied, and the real init finds what the kernel would have given it",
  async () => guest("CHILD=late-init", { ...WITH_BUSYBOX, ...(await checkInitEntries()) })(),
  async (vm) => {
    await vm.expect("could not start /sbin/late: not found");
    await vm.expect(PROMPT);
    vm.send("exit\n");
    await vm.expect("could not start /sbin/late: not found");
    await vm.expect(PROMPT);
    vm.send("busybox mv /sbin/check-init /sbin/late; exit\n");
    await vm.expect("ARG /sbin/late\nARG one two\nARG \nENV HOME=/\nENV TERM=linux\nENV WORD=a b\n");
    await vm.expect("PASS the initramfs is emptied");
    await vm.expect(/check-init: \d+ passed, 0 failed/);
  },
);

vmTest(
  "pivot_root from a real mount: the old root is gone",
  async () => guest("CHILD=pivot_root", await realMountEntries())(),
  async (vm) => {
    await vm.expect("MOUNT / ");
    await vm.expect(/check-init: \d+ passed, 0 failed/);
    expect(vm.log()).not.toContain("/initrd");
  },
);

vmTest(
  "pivot_root from a real mount: the old root is kept at rd.putold=",
  async () => guest("CHILD=pivot_root-keep", await realMountEntries())(),
  async (vm) => {
    await vm.expect("MOUNT /initrd tmpfs");
    await vm.expect(/check-init: \d+ passed, 0 failed/);
  },
);

async function noDevtmpfs(cmdline: string, entries: Readonly<Record<string, Entry>>): Promise<VmTestOptions> {
  const watcher = await compileStatic("no-devtmpfs.c");
  return { initrd: await packInitramfs({ ...entries, "/init": { file: watcher }, ...WITH_BUSYBOX }), cmdline };
}

vmTest(
  "a kernel without devtmpfs: /dev has all nodes that a crash and a shell need",
  async () => noDevtmpfs("CHILD=abort", { "/levain": { file: await packedChild() } }),
  async (vm) => {
    await vm.expect("levain: crashed: killed by SIGABRT");
    await ask(vm, "busybox grep -c devtmpfs /proc/mounts", /^0$/m);
    await ask(vm, "busybox grep ' /dev ' /proc/mounts", /^tmpfs \/dev tmpfs/m);
    await ask(vm, "busybox stat -c '%n %a %t:%T' /dev/urandom /dev/kmsg /dev/console", /^\/dev\/urandom 666 1:9$/m);
    await vm.expect("/dev/kmsg 600 1:b\n/dev/console 600 5:1\n");
    await ask(vm, "umask; busybox head -c 5 /dev/zero | busybox wc -c", /^0022\n5$/m);
  },
);

// From here on with Bun: levain itself.

vmTest(
  "levain on a CPU that is just new enough, without a random number generator: stage0's shell replaces its own if it crashes there, and exit starts it again",
  async () => ({
    initrd: await packInitramfs({ "/init": { file: levainInit() }, ...WITH_BUSYBOX, "/bin/sh": { link: "busybox" } }),
    cmdline: "root=LABEL=nowhere rd.timeout=1",
    cpu: "Nehalem",
  }),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect(PROMPT);
    vm.send("kill -ABRT $PPID\n");
    await vm.expect("levain: crashed: killed by SIGABRT (6)");
    await vm.expect("rescue shell:");
    await ask(vm, "busybox ps -o args > /ps; busybox grep -c '[s]h$' /ps", /^1$/m);
    await vm.expect(PROMPT);
    vm.send("exit\n");
    await vm.expect("could not find the root device");
  },
);

vmTest(
  "levain starts on a kernel without devtmpfs",
  () => noDevtmpfs("root=LABEL=nowhere rd.timeout=1 rd.emergency=poweroff", { "/levain": { file: levainInit() } }),
  async (vm) => {
    await vm.expect("could not find the root device");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);
