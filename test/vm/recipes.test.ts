import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { LEVAIN, levainImage } from "../support/levain-image.ts";
import { recipeScript } from "../support/recipes/blocks.ts";
import * as made from "../support/recipes/made.ts";
import { QUEUE_TIMEOUT_MS, vmTest } from "../support/vm-test.ts";

const OVMF = "/usr/share/ovmf/OVMF.fd";
// Firmware and boot loaders are slow in an emulated machine.
const LOADER_MS = 240_000;
const LIMITS = { memoryMib: 1024, timeoutMs: 300_000 };

vmTest(
  "the system in memory: two lines of inittab, and the messages after the boot",
  async () => ({ initrd: (await made.memory()).byHand, cmdline: "root=/dev/ram0" }),
  async (vm) => {
    await vm.expect(/^\/ # /m);
    vm.send("cat /proc/sys/kernel/printk\n");
    await vm.expect(/^1\t/m);
    vm.send(recipeScript("logs"));
    await vm.expect(/\[ *\d+\.\d+\] levain: .*the initramfs is the system/);
    await vm.expect('"steps":');
    await vm.expect(/^\[ *\d+\.\d+\] +handover +to \/sbin\/init, here/m);
    vm.send("exit\n");
    await vm.expect("built-in shell"); // another one
    await vm.expect(/^\/ # /m);
    vm.send("poweroff\n");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

for (const [firmware, extra] of [
  ["BIOS and syslinux", []],
  ["EFI and systemd-boot", ["-bios", OVMF]],
] as const) {
  vmTest(
    `the stick with a copy of the system boots by ${firmware}`,
    async () => ({ kernel: null, disks: [{ file: (await made.media()).stick }], extra, ...LIMITS }),
    async (vm) => {
      await vm.expect(/^ {2}root +\/dev\/vda1 vfat "FLASH"/m, LOADER_MS);
      await vm.expect(/copy: mount \/run\/levain\/medium vfat \/dev\/vda1 ro,/);
      await vm.expect(/copy: mount \/run\/levain\/overlay tmpfs tmpfs rw,.*size=102400k/);
      await vm.expect("copy: mount / overlay overlay rw,");
      await vm.expect("copy: ready");
      vm.send("echo absent-$(ls /etc/fstab /var/tmp/stick /var/tmp/.hidden 2>&1 | grep -c 'No such file'); levain log\n");
      await vm.expect("absent-3");
      await vm.expect(/^\[ *\d+\.\d+\] +handover/m);
    },
  );
}

vmTest(
  "the live medium boots from a CD by GRUB",
  async () => ({ kernel: null, disks: [{ file: (await made.media()).iso, bus: "cdrom" as const }], ...LIMITS }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/sr0 iso9660 "LEVAIN"/m, LOADER_MS);
    await vm.expect("copy: mount / overlay overlay rw,");
    await vm.expect("copy: ready");
  },
);

vmTest(
  "the live medium of another project boots with levain in it",
  async () => ({ kernel: null, disks: [{ file: await made.remaster(), bus: "cdrom" as const }], ...LIMITS }),
  async (vm) => {
    await vm.expect(/^levain \S+ on Linux/m, LOADER_MS);
    await vm.expect("small-root: mount / overlay overlay rw,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "GRUB's entry boots, and the rescue shell's commands find and mount the root that it does not name",
  async () => {
    const { grub, boot, root } = await made.grubDisks();
    const disks = [{ file: grub, bus: "cdrom" as const }, { file: boot }, { file: root, bus: "scsi" as const }];
    // Else the BIOS would start the boot sector of the disk, which waits for a key.
    return { kernel: null, disks, extra: ["-boot", "d"], ...LIMITS };
  },
  async (vm) => {
    await vm.expect('no device with label "ROOT" appeared within 30 s', LOADER_MS);
    await vm.expect(PROMPT);
    vm.send(recipeScript("rescue"));
    await vm.expect(/^ {2}FAILED +root/m);
    await vm.expect(/^\/dev\/sda2 .*ext4 +OTHER/m);
    await vm.expect("levain: ");
    vm.send(recipeScript("by-hand"));
    await vm.expect(/^ {2}root +what was mounted by hand at \/sysroot/m);
    await vm.expect("small-root: mount / ext4 /dev/sda2 ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "the encrypted root is opened by the key on the stick, without a question",
  async () => {
    const { root, stick, parameters } = await made.encrypted();
    return { initrd: await levainImage(), disks: [{ file: root }, { file: stick }], cmdline: parameters };
  },
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/mapper\/root ext4 "ROOT" in \/dev\/vda2 crypto_LUKS/m);
    await vm.expect("copy: mount / ext4 /dev/mapper/root ro,");
    await vm.expect("copy: ready");
    // Where the stick answers late there is a prompt, but nobody types here.
    expect(vm.log()).not.toContain("wrong passphrase");
    expect(vm.log()).not.toMatch(/^ {2}warning/m);
    vm.send("echo stick-$(grep -c vdb /proc/mounts)\n");
    await vm.expect("stick-0");
  },
);

test(
  "the passphrase of the recipe opens the encrypted root too",
  async () => {
    const { partition } = await made.encrypted();
    const file = join(scratchDirectory(), "passphrase");
    writeFileSync(file, made.RECIPE_PASSPHRASE);
    await run([LEVAIN, "luks", "--key-file", file, partition]);
    writeFileSync(file, `${made.RECIPE_PASSPHRASE}!`);
    await expect(run([LEVAIN, "luks", "--key-file", file, partition])).rejects.toThrow("exit status 2");
  },
  QUEUE_TIMEOUT_MS,
);

test(
  "the image with modules has the inittab of the system in memory",
  async () => {
    const { byHand, byLevain } = await made.memory();
    const [one, other] = [byHand, byLevain].map(async (image) => {
      const tree = join(scratchDirectory(), "tree");
      await run([LEVAIN, "extract", image, tree, "--member", "etc/inittab"]);
      return readFileSync(join(tree, "etc/inittab"), "utf8");
    });
    expect(await one).toContain("::respawn:-/bin/sh\n");
    expect(await other).toBe(await one);
  },
  QUEUE_TIMEOUT_MS,
);
