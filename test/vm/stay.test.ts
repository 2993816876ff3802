import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { packInitramfs } from "../support/initramfs.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { levainInit } from "../support/levain-image.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { vmTest } from "../support/vm-test.ts";

const SHELL = /^\/ # /m;

/** A program for the image, on the host. */
function script(text: string): string {
  const file = join(scratchDirectory(), "script");
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

vmTest(
  "without root=, there is a shell, every applet and an init that can power off",
  () => levainGuest({}),
  async (vm) => {
    await vm.expect(/^ {2}root +none, as root= is missing: the initramfs is the system/m);
    await vm.expect("no root= on the kernel command line: a shell of the initramfs starts\nhint: boot a root with");
    await vm.expect(SHELL);
    vm.send("cat /proc/1/comm; ls -l /sbin/init; levain status\n");
    await vm.expect(/^init$/m);
    await vm.expect(/\/sbin\/init -> .*busybox/);
    await vm.expect("The boot has handed over to the real init");
    for (const applet of ["/bin/ls", "/usr/bin/awk", "/sbin/ifconfig", "/usr/sbin/chroot"]) {
      vm.send(`[ -x ${applet} ] && echo have-${applet.length}-$((1 + 1))\n`);
      await vm.expect(`have-${applet.length}-2`);
    }
    // A key that is pressed before the program runs goes to the shell.
    vm.send("sh -c 'echo asleep-$((3 - 2)); exec sleep 500'\n");
    await vm.expect("asleep-1");
    vm.send("\u0003");
    vm.send("echo interrupted-$((40 + 2)); cat /proc/sys/kernel/printk\n");
    await vm.expect("interrupted-42\n3\t");
    vm.send("exit\n");
    await vm.expect("built-in shell"); // another one
    await vm.expect(SHELL);
    expect(vm.log()).not.toMatch(/can't (run|access tty)/);
    vm.send("poweroff\n");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

vmTest(
  "levain retry root= boots from there, as if root= had been on the command line",
  async () => levainGuest({ disks: [await rootImage("ext4", { label: "ROOT" })], cmdline: "quiet" }),
  async (vm) => {
    await vm.expect("no root= on the kernel command line: a shell of the initramfs starts");
    await vm.expect(SHELL);
    vm.send("levain retry rw\n");
    await vm.expect("no root to boot");
    vm.send("mkdir /mnt; mount -o ro /dev/vda /mnt; levain retry root=LABEL=ROOT rw init=/bin/sh\n");
    // The shell, not the root's own init: that is a script with setsid(1), which forks as process 1 has a session already.
    await vm.expect("Sent SIGKILL to all processes");
    await vm.expect(SHELL);
    vm.send("echo process-$$; grep -c ' /run ' /proc/mounts; grep ' / ' /proc/mounts\n");
    await vm.expect(/process-1\n1\n\/dev\/vda \/ ext4 rw/);
    vm.send("echo levels $(cat /proc/sys/kernel/printk); ls /run/levain\n");
    await vm.expect(/levels 4 4 1 7\nboot\.json\s/);
  },
);

vmTest(
  "the real init of such a boot starts as in any other, but process 1 keeps the session of BusyBox's init",
  async () => levainGuest({ disks: [await rootImage("ext4", { label: "ROOT" })] }),
  async (vm) => {
    await vm.expect(SHELL);
    vm.send("levain retry root=LABEL=ROOT init=/sbin/check-init\n");
    await vm.expect(/check-init: \d+ passed, \d+ failed/);
    const failed = vm.log().match(/^FAIL [^:]*/gm) ?? [];
    expect(failed).toEqual(["FAIL session", "FAIL process group"]);
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

vmTest(
  "an image of another builder with only BusyBox in it: init does not complain, and levain is on the path",
  async () => ({ initrd: await packInitramfs({ "/init": { file: levainInit() }, "/bin/busybox": { file: BUSYBOX } }) }),
  async (vm) => {
    await vm.expect(SHELL);
    vm.send("levain status\n");
    await vm.expect("The boot has handed over to the real init");
    expect(vm.log()).not.toContain("can't run");
  },
);

vmTest(
  "rd.handover=stay: the image's own init, whatever root= says",
  async () =>
    levainGuest({
      cmdline: "root=LABEL=NOT-THERE rd.handover=stay word",
      image: { files: { "/sbin/init": script('echo "own-init $$ $*"; grep " / " /proc/mounts; exec sh') } },
    }),
  async (vm) => {
    await vm.expect("own-init 1 word");
    await vm.expect("rootfs / rootfs rw");
    expect(vm.log()).not.toContain("waiting for");
  },
);

// The cloud kernel has NVMe and ext4 built in.
vmTest(
  "levain boots as the only file of an initramfs",
  async () => ({
    initrd: await packInitramfs({ "/init": { file: levainInit() } }),
    disks: [{ file: await rootImage("ext4", { label: "ROOT" }), bus: "nvme" as const }],
    cmdline: "root=LABEL=ROOT",
  }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/nvme0n1 ext4 "ROOT"/m);
    await vm.expect("small-root: mount / ext4 /dev/nvme0n1 ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "levain alone, without a root, reports that there is nothing to start",
  async () => ({ initrd: await packInitramfs({ "/init": { file: levainInit() } }) }),
  async (vm) => {
    await vm.expect("the root has no init");
    await vm.expect("this image has no shell");
    await vm.expect("the boot cannot continue");
  },
);
