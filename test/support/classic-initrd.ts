import { join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";
import { treeImage } from "./filesystem-images.ts";
import { packInitramfs } from "./initramfs.ts";
import { debianKernel } from "./kernels.ts";
import { type LevainImageOptions, levainImage } from "./levain-image.ts";
import { BUSYBOX } from "./unpacked-programs.ts";
import type { VmTestOptions } from "./vm-test.ts";

// Debian's kernels cannot mount a classic initrd (their RAM disks are a module), so a loop device takes its part.
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t devtmpfs dev /dev
insmod /loop.ko; insmod /squashfs.ko
losetup -r /dev/loop7 /initrd.img; mount -o ro /dev/loop7 /root
umount -l /dev; umount /proc
exec switch_root /root /sbin/init "$@"
`;

/** What the image is made of, and `change`: a script that runs in its tree. */
export type ClassicInitrdOptions = Omit<LevainImageOptions, "compress"> & { readonly change?: string };

/** A boot from a filesystem of `type` that holds what `levain image` makes, with the program as /sbin/init. */
export async function classicInitrd(
  type: "squashfs-lz4" | "ext2",
  { change = ":", ...image }: ClassicInitrdOptions = {},
): Promise<Pick<VmTestOptions, "initrd" | "kernel" | "memoryMib">> {
  const { kernel = "cloud" } = image;
  const flavour = kernel === "none" ? "cloud" : kernel;
  const tree = scratchDirectory();
  const archive = await levainImage({ ...image, compress: "none" });
  await runScript('cd "$1" && cpio --quiet -id < "$2" && mv init sbin/init && mkdir mnt && eval "$3"', [
    tree,
    archive,
    change,
  ]);
  const { modulesDir } = await debianKernel(flavour);
  const initrd = await packInitramfs({
    "/init": { text: INIT },
    "/bin/busybox": { file: BUSYBOX },
    "/loop.ko": { file: join(modulesDir, "kernel/drivers/block/loop.ko") },
    "/squashfs.ko": { file: join(modulesDir, "kernel/fs/squashfs/squashfs.ko") },
    "/initrd.img": { file: await treeImage(type, tree, {}, type === "ext2" ? 192 : 0) },
    "/root": { directory: true },
    "/proc": { directory: true },
    "/dev": { directory: true },
  });
  return { initrd, kernel: flavour, memoryMib: flavour === "full" ? 1024 : 768 };
}
