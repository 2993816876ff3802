import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { classicInitrd } from "../support/classic-initrd.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

/** A boot of an ext4 root from a classic initrd; `change` is a script on its tree. */
async function initrd(type: "squashfs-lz4" | "ext2", cmdline: string, change = ":"): Promise<VmTestOptions> {
  const disks = [{ file: await rootImage("ext4", { label: "ROOT" }) }];
  return { ...(await classicInitrd(type, { change })), disks, cmdline: `root=LABEL=ROOT ${cmdline}` };
}

vmTest(
  "a squashfs initrd stays visible at rd.putold=",
  () => initrd("squashfs-lz4", "rd.putold=/initrd word"),
  async (vm) => {
    await vm.expect(/handover +pivot_root to \/sbin\/init word/);
    await vm.expect("small-root: init is /sbin/init, PID 1, arguments: word");
    await vm.expect("small-root: mount /initrd squashfs /dev/loop7 ro,");
    await vm.expect("small-root: mount / ext4 /dev/vda ro,");
    await vm.expect("small-root: ready");
    vm.send(
      "cat /initrd/etc/levain.json > /dev/null && echo old-root-$((40 + 2)); umount /initrd && echo gone-$((40 + 2))\n",
    );
    await vm.expect("old-root-42");
    await vm.expect("gone-42");
  },
);

vmTest(
  "an initramfs stays visible at rd.putold=, without its key file",
  async () => {
    const key = join(scratchDirectory(), "root.key");
    writeFileSync(key, "secret", { mode: 0o600 });
    return levainGuest({
      disks: [await rootImage("ext4", { label: "ROOT" })],
      image: { files: { "/etc/cryptsetup-keys.d/root.key": key } },
      cmdline: "root=LABEL=ROOT rd.putold=/initrd",
    });
  },
  async (vm) => {
    await vm.expect("removed the key file /etc/cryptsetup-keys.d/root.key of this image, which is kept");
    await vm.expect(/the initramfs stays at \/initrd: it uses \d+ MiB of memory until its files are removed/);
    await vm.expect(/handover +switch_root to \/sbin\/init/);
    await vm.expect("small-root: mount /initrd rootfs rootfs rw");
    await vm.expect("small-root: ready");
    vm.send("ls /initrd/etc/cryptsetup-keys.d; head -c 4 /initrd/init | tail -c 3; echo -$((40 + 2))\n");
    await vm.expect("ELF-42");
    vm.send("free -m | grep Mem; rm -rf /initrd/init; free -m | grep Mem; umount /initrd && echo gone-$((40 + 2))\n");
    await vm.expect("gone-42");
    expect(vm.log()).not.toMatch(/^root\.key$/m);
  },
);

vmTest(
  "an ext2 initrd is unmounted, and its memory is freed",
  () => initrd("ext2", "init=/sbin/check-init"),
  async (vm) => {
    await vm.expect(/handover +pivot_root to \/sbin\/check-init/);
    await vm.expect(/check-init: \d+ passed, 0 failed/);
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);
