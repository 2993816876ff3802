import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { classicInitrd } from "../support/classic-initrd.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// A squashfs initrd that stays visible is in crypt-layers.test.ts.

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
  async () => ({
    ...(await classicInitrd("ext2")),
    disks: [{ file: await rootImage("ext4", { label: "ROOT" }) }],
    cmdline: "root=LABEL=ROOT init=/sbin/check-init",
  }),
  async (vm) => {
    await vm.expect(/handover +pivot_root to \/sbin\/check-init/);
    await vm.expect(/check-init: \d+ passed, 0 failed/);
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);
