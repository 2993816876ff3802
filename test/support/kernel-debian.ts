import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { downloadPackages, withApt } from "./debian-packages.ts";
import { DEBIAN_UUID, installDebian } from "./debian-root.ts";
import { treeImage } from "./filesystem-images.ts";

/** Debian with kernels, initramfs-tools and a boot partition's room. */
const PACKAGES = "systemd-sysv,udev,initramfs-tools,busybox-static";
const IMAGE_MIB = 2048;
// Images with the modules for its disk alone: mkinitramfs copies 700 otherwise, each time it runs.
const FEW_MODULES = {
  "etc/initramfs-tools/conf.d/few": "MODULES=list\n",
  "etc/initramfs-tools/hooks/few": `#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk ext4
`,
};
// As debian-root.ts, without what apt and dpkg would miss.
const CONFIGURE = `
cd "$1"
rm -rf var/cache/apt/*.bin usr/share/doc usr/share/man usr/share/locale dev/*
echo levain-debian > etc/hostname
: > etc/machine-id
echo "UUID=$2 / ext4 errors=remount-ro 0 1" > etc/fstab
sed -i 's/^root:[^:]*:/root::/' etc/shadow
`;

/** A Debian whose disk a boot loader would read: its file, and the package of a newer kernel. */
export interface KernelDebian {
  readonly disk: string;
  readonly version: string;
  readonly newer: { readonly version: string; readonly deb: string };
}

const numberOf = (version: string) => Number(/-(\d+)-/.exec(version)?.[1]);
const newestFirst = (one: string, other: string) => numberOf(other) - numberOf(one);

/** Debian's two newest small kernels, as `uname -r` prints them, the older first. */
async function kernelVersions(): Promise<readonly [string, string]> {
  const names = await withApt((options) => run(["apt-cache", ...options.slice(1), "pkgnames", "linux-image-"]));
  const known = names
    .split("\n")
    .flatMap((name) => /^linux-image-(\d[\d.]*-(\d+)-cloud-amd64)$/.exec(name)?.slice(1) ?? []);
  const versions = known.filter((_, index) => index % 2 === 0);
  const [newer, older] = versions.sort(newestFirst);
  if (newer === undefined || older === undefined) throw new Error(`apt knows no two kernels: ${names}`);
  return [older, newer];
}

/** A Debian 12 with systemd, initramfs-tools and a kernel, as apt installs them, on ext4. Needs root; minutes the first time. */
export async function kernelDebian(): Promise<KernelDebian> {
  const [version, newer] = await kernelVersions();
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), version, newer);
  const directory = await cached("kernel-debian", key, async (target) => {
    const tree = join(target, "tree");
    for (const [path, text] of Object.entries(FEW_MODULES)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text, { mode: 0o755 });
    }
    await installDebian(tree, `${PACKAGES},linux-image-${version}`);
    await runScript(CONFIGURE, [tree, DEBIAN_UUID]);
    mkdirSync(join(target, "deb"));
    await downloadPackages([`linux-image-${newer}`], join(target, "deb"));
  });
  const [deb = ""] = readdirSync(join(directory, "deb"));
  const disk = await treeImage("ext4", join(directory, "tree"), { uuid: DEBIAN_UUID }, IMAGE_MIB);
  return { disk, version, newer: { version: newer, deb: join(directory, "deb", deb) } };
}

/** Reads the newest kernel and its image from the directory /boot of an ext4 disk, as a boot loader does. */
export async function readBootDirectory(disk: string) {
  const listing = await run(["debugfs", "-R", "ls -p /boot", disk]);
  const versions = [...listing.matchAll(/\/vmlinuz-([^/]+)\//g)].map(([, version = ""]) => version);
  const [version = ""] = versions.sort(newestFirst);
  const target = scratchDirectory();
  const [kernel, initrd] = [join(target, "vmlinuz"), join(target, "initrd")];
  await run(["debugfs", "-R", `dump /boot/vmlinuz-${version} ${kernel}`, disk]);
  await run(["debugfs", "-R", `dump /boot/initrd.img-${version} ${initrd}`, disk]);
  return { version, kernel: { file: kernel }, initrd };
}
