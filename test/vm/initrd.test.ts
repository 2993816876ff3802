import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { BUSYBOX, packInitramfs } from "../support/initramfs.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

// Debian's kernels cannot mount a classic initrd (their RAM disks are a module), so a loop device takes its part.
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t devtmpfs dev /dev
insmod /loop.ko; insmod /squashfs.ko
losetup -r /dev/loop7 /initrd.img; mount -o ro /dev/loop7 /root
umount -l /dev; umount /proc
exec switch_root /root /sbin/init "$@"
`;

/** A boot from an image of `type` that holds what \`levain image\` makes, with the program as /sbin/init; \`change\` is a script on its tree. */
async function initrd(type: "squashfs-lz4" | "ext2", cmdline: string, change = ":"): Promise<VmTestOptions> {
  const tree = scratchDirectory();
  const archive = await levainImage({ compress: "none" });
  await runScript('cd "$1" && cpio --quiet -id < "$2" && mv init sbin/init && mkdir mnt && eval "$3"', [
    tree,
    archive,
    change,
  ]);
  const { modulesDir } = await debianKernel("cloud");
  return {
    initrd: await packInitramfs({
      "/init": { text: INIT },
      "/bin/busybox": { file: BUSYBOX },
      "/loop.ko": { file: join(modulesDir, "kernel/drivers/block/loop.ko") },
      "/squashfs.ko": { file: join(modulesDir, "kernel/fs/squashfs/squashfs.ko") },
      "/initrd.img": { file: await treeImage(type, tree, {}, type === "ext2" ? 192 : 0) },
      "/root": { directory: true },
      "/proc": { directory: true },
      "/dev": { directory: true },
    }),
    disks: [{ file: await rootImage("ext4", { label: "ROOT" }) }],
    cmdline: `root=LABEL=ROOT ${cmdline}`,
    memoryMib: 768,
  };
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
  "an ext2 initrd is unmounted, and all of it let go",
  () => initrd("ext2", "init=/sbin/check-init"),
  async (vm) => {
    await vm.expect(/handover +pivot_root to \/sbin\/check-init/);
    await vm.expect(/check-init: \d+ passed, 0 failed/);
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-shutdown" });
  },
);

for (const place of ["/sysroot", "/run"]) {
  vmTest(
    `a read-only initrd without ${place} is told so`,
    () => initrd("squashfs-lz4", "", `rm -r .${place}`),
    async (vm) => {
      await vm.expect(`there is no directory ${place} to mount at`);
      await vm.expect(`hint: the image that this boots from needs a directory ${place}`);
      await vm.expect(PROMPT);
      expect(vm.log()).not.toContain("a bug in levain");
    },
  );
}
