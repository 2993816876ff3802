import { dirname, join } from "node:path";
import { cached, recipeKey } from "../cache.ts";
import { runScript } from "../command.ts";
import { installDebian } from "../debian-root.ts";
import { debianKernel } from "../kernels.ts";

const PACKAGES = [
  "systemd-sysv",
  "udev",
  "lvm2",
  "thin-provisioning-tools",
  "cryptsetup-initramfs",
  "mdadm",
  "initramfs-tools",
  "zstd",
  "busybox",
];

const CONFIGURE = `
cd "$1"
rm -rf var/cache/apt/* var/lib/apt/lists/* usr/share/doc usr/share/man usr/share/locale usr/share/info dev/*
echo levain-debian > etc/hostname
: > etc/machine-id
sed -i 's/^root:[^:]*:/root::/' etc/shadow
mkdir -p lib/modules home
cp -a "$2" lib/modules/
cp -a "$3/"*"-$4" boot/
`;

/** Debian 12 with the tools of LVM, dm-crypt and RAID, with initramfs-tools, and with the kernel for it. Needs root. */
export async function debianWithLvm(): Promise<string> {
  const { modulesDir, version, vmlinuz } = await debianKernel("cloud");
  const key = recipeKey(PACKAGES, CONFIGURE, version);
  const directory = await cached("debian-lvm", key, async (target) => {
    const tree = join(target, "tree");
    await installDebian(tree, PACKAGES.join(","));
    await runScript(CONFIGURE, [tree, modulesDir, dirname(vmlinuz), version]);
  });
  return join(directory, "tree");
}
