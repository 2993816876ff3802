import { expect } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { packInitramfs } from "../support/initramfs.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { levainInit } from "../support/levain-image.ts";
import { vmTest } from "../support/vm-test.ts";

const SHELL = /^\/ # /m;

vmTest(
  "without root=, there is a shell, every applet and an init; levain retry root= boots from there as if root= had been on the command line, but process 1 keeps the session of BusyBox's init",
  async () => levainGuest({ disks: [await rootImage("ext4", { label: "ROOT" })] }),
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
    vm.send("levain retry rw\n");
    await vm.expect("no root to boot");
    vm.send("mkdir /mnt; mount -o ro /dev/vda /mnt; levain retry root=LABEL=ROOT rw init=/bin/sh\n");
    // The shell, not the root's own init: that is a script with setsid(1), which forks as process 1 has a session already.
    await vm.expect("Sent SIGKILL to all processes");
    await vm.expect(SHELL);
    vm.send("echo process-$$; grep -c ' /run ' /proc/mounts; grep ' / ' /proc/mounts\n");
    await vm.expect(/process-1\n1\n\/dev\/vda \/ ext4 rw/);
    vm.send("echo levels $(cat /proc/sys/kernel/printk); ls /run/levain\n");
    await vm.expect(/levels 7 4 1 7\nboot\.json\s/);
    vm.send("exec /sbin/check-init\n");
    await vm.expect(/check-init: \d+ passed, \d+ failed/);
    const failed = vm.log().match(/^FAIL [^:]*/gm) ?? [];
    expect(failed).toEqual(["FAIL session", "FAIL process group"]);
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
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
