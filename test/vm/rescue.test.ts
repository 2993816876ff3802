import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { filesImage } from "../support/disk-images.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { GUEST } from "../support/guest-architecture.ts";
import { packInitramfs } from "../support/initramfs.ts";
import { press, pressUntilExit } from "../support/keyboard.ts";
import { type LevainGuest, levainGuest, PROMPT } from "../support/levain-guest.ts";
import { levainInit } from "../support/levain-image.ts";
import type { Vm } from "../support/qemu.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

const WRONG = "root=LABEL=WRONG rd.timeout=1";

const OTHER_CONSOLE = join(scratchDirectory(), "hvc0");
const LATE_CONSOLE = join(scratchDirectory(), "hvc0");

/** A guest with one disk, an ext4 root labelled ROOT. */
function guest(cmdline: string, more: Omit<LevainGuest, "cmdline" | "disks"> = {}) {
  return async () => levainGuest({ disks: [await rootImage("ext4", { label: "ROOT" })], cmdline, ...more });
}

/** A guest whose initramfs somebody else has made: nothing in it but levain and these files. */
function foreignGuest(cmdline: string, files: Readonly<Record<string, string>> = {}) {
  return async (): Promise<VmTestOptions> => {
    const entries = Object.entries(files).map(([path, file]) => [path, { file }] as const);
    return {
      initrd: await packInitramfs({ "/init": { file: levainInit() }, ...Object.fromEntries(entries) }),
      cmdline,
    };
  };
}

/** Types a command at the next prompt. */
async function type(vm: Vm, command: string): Promise<void> {
  await vm.expect(PROMPT);
  vm.send(`${command}\n`);
}

/** Says so when it runs: a key that is pressed earlier goes to the shell. */
const SLEEP = "sh -c 'echo asleep-$((3 - 2)); exec sleep 500'";

vmTest(
  "a wrong root: the report, a real shell, the commands, a retry with the right one, and rd.break before two of its steps",
  guest(WRONG),
  async (vm) => {
    await vm.expect(
      'could not find the root device\n  no device with label "WRONG" appeared within 1 s\nseen: /dev/vda ext4 "ROOT"\nhint: ',
    );
    await vm.expect("rescue shell: ");
    await type(vm, "tty; jobs; sleep 1000 & jobs | sed s/Running/at-work/");
    await vm.expect(`/dev/${GUEST.serial}\n`);
    await vm.expect("at-work");
    await type(vm, SLEEP);
    await vm.expect("asleep-1");
    vm.send("\u0003");
    await type(vm, "echo status-$?");
    await vm.expect("status-130");
    await type(vm, SLEEP);
    await vm.expect("asleep-1");
    vm.send("\u001a");
    await vm.expect("Stopped");
    await type(vm, "kill -9 %2");
    await type(vm, "levain status");
    await vm.expect(
      / {2}ok {6}modules {3}\d+ loaded for \d+ devices +\d+ ms\n {2}FAILED {2}root {6}could not find the root device/,
    );
    await vm.expect('The boot stopped at the step "root".');
    await type(vm, "levain devices");
    await vm.expect(/DEVICE {4}SIZE {4}TYPE {2}LABEL {2}UUID\n\/dev\/vda {2}32 MiB {2}ext4 {2}ROOT {3}/);
    await type(vm, "levain retry rot=LABEL=ROOT");
    await vm.expect("unknown parameter");
    await type(vm, "levain retry root=LABEL=ROOT rd.break=mount");
    await vm.expect('stopped before the step "mount" (rd.break)');
    await type(vm, "levain status");
    await vm.expect('The boot waits before the step "mount" (rd.break).');
    await type(vm, "levain retry rw rd.break=handover");
    await vm.expect('stopped before the step "mount" (rd.break)');
    await type(vm, "grep -c sysroot /proc/mounts");
    await vm.expect("\n0\n");
    await type(vm, "exit");
    await vm.expect('stopped before the step "handover" (rd.break)');
    await type(vm, "grep -c sysroot /proc/mounts");
    await vm.expect("\n1\n");
    await type(vm, "exit");
    await vm.expect(/small-root: mount \/ ext4 \/dev\/vda rw/);
    await vm.expect("small-root: ready");
    expect(vm.log()).not.toContain("can't access tty");
    expect(vm.log().match(/small-root: mount \/run /g)).toHaveLength(1);
  },
);

vmTest(
  "the log is saved on a stick; a disk that is plugged in while the shell runs, and exit",
  async () => {
    const [file, stick] = await Promise.all([
      rootImage("ext4", { label: "ROOT" }),
      filesImage("vfat", {}, { label: "LEVAIN-LOG" }),
    ]);
    return levainGuest({
      disks: [stick, { file, id: "late", unplugged: true }],
      cmdline: "root=LABEL=ROOT rd.timeout=1",
    });
  },
  async (vm) => {
    await vm.expect('the log was saved: levain-failed-1.txt on /dev/vda vfat "LEVAIN-LOG"');
    await type(vm, "mkdir /mnt; mount -t vfat -o ro /dev/vda /mnt; cut -c-40 /mnt/levain-failed-1.txt; ls /mnt");
    await vm.expect("THE FAILURE\ncould not find the root device\n");
    await vm.expect(/KERNEL LOG\n\[ +0\.0+\] Linux version [^\n]+\n/);
    await vm.expect(/levain-failed-1\.json +levain-failed-1\.txt +levain-failed\.new/);
    await type(vm, "umount /mnt");
    await vm.expect(PROMPT);
    await vm.plug("late");
    await vm.pause(1000);
    vm.send("exit\n");
    await vm.expect("small-root: ready");
    expect(vm.log().match(/ {2}prepare {3}command line read/g)).toHaveLength(1);
    expect(vm.log()).not.toContain("the last boot failed");
  },
);

/** A guest with a second console, hvc0, whose text goes to `file`. The kernel registers only one console of a kind. */
function twoConsoles(cmdline: string, file: string) {
  const chardev = [
    "-chardev",
    `file,id=hvc,path=${file}`,
    "-device",
    "virtio-serial-pci",
    "-device",
    "virtconsole,chardev=hvc",
  ];
  return guest(`${WRONG} ${cmdline}`, { image: { words: ["--module", "virtio_console"] }, extra: chardev });
}

vmTest(
  "two consoles: both show the report, once, where the shell is, and a crash, also with quiet, which hides no failure",
  twoConsoles(`quiet console=hvc0 console=${GUEST.serial}`, OTHER_CONSOLE),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect(`the shell is on ${GUEST.serial}: the last console= decides`);
    expect(vm.log().match(/could not find the root device/g)).toHaveLength(1);
    expect(vm.log()).not.toMatch(/^ {2}(prepare|\.\.\.)/m);
    const widths = vm
      .log()
      .split("\n")
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    await type(vm, "tty; echo levels $(cat /proc/sys/kernel/printk)");
    await vm.expect(`/dev/${GUEST.serial}\nlevels 4 4 1 7\n`);
    const other = readFileSync(OTHER_CONSOLE, "utf8").replaceAll("\r", "");
    expect(other.match(/could not find the root device\n {2}no device with label "WRONG"/g)).toHaveLength(1);
    expect(other).toContain(`the shell is on ${GUEST.serial}: the last console= decides\n`);
    await type(vm, "kill -SEGV $PPID");
    await vm.expect("levain: crashed: killed by SIGSEGV");
    await vm.expect(`levain: the shell is on ${GUEST.serial}`);
    await vm.expect(PROMPT);
    const crashed = readFileSync(OTHER_CONSOLE, "utf8");
    expect(crashed).toContain("levain: crashed: killed by SIGSEGV");
    expect(crashed).toContain(`levain: the shell is on ${GUEST.serial}`);
  },
);

vmTest(
  "of two consoles the last one gets the shell; Enter, twice, moves it to the screen and back, that of levain and that of process 1",
  guest(`${WRONG} console=tty0 console=${GUEST.serial}`),
  async (vm) => {
    await vm.expect(`the shell is on ${GUEST.serial}: the last console= decides`);
    await vm.expect("press Enter twice on another console to move it there");
    await type(vm, "tty; cat /sys/class/tty/console/active");
    await vm.expect(`/dev/${GUEST.serial}\ntty0 ${GUEST.serial}\n`);
    expect(vm.log()).not.toContain("can't access tty");
    await type(vm, "echo $((20 + 2)) > /tmp/of-the-first; sleep 1000");
    await press(vm, "ret");
    await vm.pause(1000);
    await press(vm, "ret");
    await vm.expect("the shell is on tty0 (the screen)");
    vm.send("\r");
    await vm.expect("the shell is on tty0 (the screen): press Enter again to end it there and start one here");
    vm.send("\r");
    await vm.expect(new RegExp(`the shell is on ${GUEST.serial}\\b`));
    await type(vm, "cat /tmp/of-the-first; pidof sleep; echo all-$((40 + 2))");
    await vm.expect("\n22\nall-42\n");
    await type(vm, "kill -SEGV $PPID");
    await vm.expect(`levain: the shell is on ${GUEST.serial}; press Enter twice on another console to move it there`);
    await vm.expect(PROMPT);
    await press(vm, "ret");
    await vm.expect("press Enter on tty0 again to end it there and start one here");
    await press(vm, "ret");
    await vm.expect("levain: the shell is on tty0;");
    vm.send("\r");
    await vm.expect(`the shell is on tty0: press Enter on ${GUEST.serial} again`);
    vm.send("\r");
    await vm.expect(`levain: the shell is on ${GUEST.serial};`);
    await type(vm, "tty; echo all-$((41 + 2))");
    await vm.expect("all-43");
  },
);

vmTest(
  "a console of a module becomes the last one: the report is on both, once, and the shell on the new one",
  twoConsoles("console=hvc0", LATE_CONSOLE),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect("the shell is on hvc0: the last console= decides");
    await vm.pause(3000);
    const other = readFileSync(LATE_CONSOLE, "utf8").replaceAll("\r", "");
    expect(other).toContain("could not find the root device\n");
    expect(other).toContain("levain:/# ");
    expect(vm.log()).not.toMatch(PROMPT);
    expect(vm.log().match(/could not find the root device/g)).toHaveLength(1);
  },
);

vmTest(
  "a console= that the machine does not have: the shell is on the screen",
  guest(`${WRONG} 8250.nr_uarts=0`),
  async (vm) => {
    const exit = await pressUntilExit(vm, ..."reboot", "spc", "minus", "f");
    expect(exit).toMatchObject({ reason: "guest-reset" });
    expect(vm.log()).not.toContain("levain");
  },
);

vmTest(
  "an image of another builder with only BusyBox in it: the commands still exist",
  foreignGuest("root=LABEL=ROOT rd.timeout=1", { "/bin/busybox": BUSYBOX }),
  async (vm) => {
    await vm.expect("seen: no block device at all");
    await type(vm, "levain devices | sed s/devices/DEVICES/");
    await vm.expect("no block DEVICES: ");
    await type(vm, "which vi awk levain");
    await vm.expect("/run/levain/applets/vi\n/run/levain/applets/awk\n/run/levain/bin/levain\n");
    await type(vm, "levain retry rd.emergency=poweroff rd.timeout=2");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);
