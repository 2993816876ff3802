import { expect } from "bun:test";
import { STORE_FLAGS } from "../../build/stage0/paged/store.ts";
import { initBytes } from "../support/init-bytes.ts";
import { packInitramfs } from "../support/initramfs.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { LEVAIN, levainInit } from "../support/levain-image.ts";
import { storeOffset, writeProgram } from "../support/paged-program.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

// The /init of images has its runtime compressed (docs/stage0.md); every other test of test/vm boots it, too.

const HALTS = "rdshell=0 allows no shell: halting now";

/** The paged program with a byte changed in the middle of each of its compressed groups. */
function damagedProgram(): string {
  const file = initBytes("paged", LEVAIN);
  const store = storeOffset(file);
  const groups = store + file.readUInt32LE(store + 36);
  for (let row = groups; row < groups + file.readUInt32LE(store + 28) * 16; row += 16) {
    const middle = store + file.readUInt32LE(row) + (file.readUInt32LE(row + 4) >> 1);
    file.writeUInt8(file.readUInt8(middle) ^ 0xff, middle);
  }
  return writeProgram(file);
}

/** What is left of the paged program if the kernel has no memory for all of it. */
function truncatedProgram(): string {
  const bytes = initBytes("paged", LEVAIN);
  return writeProgram(bytes.subarray(0, storeOffset(bytes) + (1 << 20)));
}

/** The paged program as it is on a kernel without userfaultfd, which Debian has none of. */
function eagerProgram(): string {
  const file = initBytes("paged", LEVAIN);
  file.writeUInt32LE(STORE_FLAGS.eager, storeOffset(file) + 12);
  return writeProgram(file);
}

function guestWith(init: () => string, cmdline: string) {
  return async () => ({
    initrd: await packInitramfs({ "/init": { file: init() }, "/bin/busybox": { file: BUSYBOX } }),
    cmdline,
    memoryMib: 256,
  });
}

vmTest(
  "a damaged runtime is reported, and ends in the shell",
  guestWith(damagedProgram, "root=LABEL=X"),
  async (vm) => {
    await vm.expect(/levain: a compressed part of the runtime is damaged \(checksum\)(?:: group \d+)?$/m);
    await vm.expect("levain: hint: the image is damaged, or the machine's memory");
    await vm.expect(PROMPT);
  },
);

const NO_SHELL = guestWith(truncatedProgram, "root=LABEL=X rdshell=0");
vmTest("a truncated runtime gives no shell against rdshell=0", NO_SHELL, async (vm) => {
  await vm.expect("levain: crashed: killed by SIGBUS (7)");
  await vm.expect("levain: hint: the kernel unpacked only a part of /init: give the machine more memory");
  await vm.expect(HALTS);
  vm.send("\n\nexit\n");
  await vm.pause(1500);
  expect(vm.log()).not.toMatch(PROMPT);
  expect(vm.log()).not.toContain("Kernel panic");
});

/** Kills the pager as soon as it is there. It and the process that watches it are the only ones with this score. */
const KILLER = `
score() { read -r score 2>/dev/null < /proc/$1/oom_score_adj && [ "$score" = -1000 ]; }
while /bin/busybox sleep 1; do
  for place in /proc/[0-9]*; do
    pid=\${place#/proc/}
    score $pid || continue
    score $(/bin/busybox sed -n 's/^PPid:[^0-9]*//p' $place/status) && kill -9 $pid && exit
  done
done
`;

function killedGuest(cmdline: string) {
  return async () => ({
    initrd: await packInitramfs({
      "/init": { text: "#!/bin/busybox sh\n/bin/busybox sh /kill-pager &\nexec /levain\n" },
      // For the shell's `&`, before there is a devtmpfs.
      "/dev/null": { text: "" },
      "/kill-pager": { text: KILLER },
      "/levain": { file: levainInit() },
      "/bin/busybox": { file: BUSYBOX },
    }),
    cmdline: `root=LABEL=X rd.timeout=60 ${cmdline}`,
    memoryMib: 256,
  });
}

const KILLED = "levain: the pager, which unpacks the runtime, was killed by SIGKILL";

vmTest("if the pager is killed, so is levain, and a shell follows", killedGuest(""), async (vm) => {
  await vm.expect(KILLED);
  await vm.expect("levain: hint: a program or a person sent this signal");
  await vm.expect(PROMPT);
});

vmTest("if the pager is killed, rdshell=0 still allows no shell", killedGuest("rdshell=0"), async (vm) => {
  await vm.expect(KILLED);
  await vm.expect(HALTS);
  vm.send("\n\nexit\n");
  await vm.pause(1500);
  expect(vm.log()).not.toMatch(PROMPT);
});

vmTest(
  "without userfaultfd the runtime is unpacked at once, and the kernel log says how long it took",
  async () => ({
    initrd: await packInitramfs({ "/init": { file: eagerProgram() }, "/bin/busybox": { file: BUSYBOX } }),
    cmdline: "root=LABEL=X rd.timeout=1 loglevel=7",
    memoryMib: 384,
  }),
  async (vm) => {
    await vm.expect(/levain: unpacked the whole runtime in \d+ ms, because userfaultfd cannot be used: not supported/);
    await vm.expect('no device with label "X" appeared');
    await vm.expect(PROMPT);
  },
);
