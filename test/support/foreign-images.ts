import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { installDebian } from "./debian-root.ts";
import { packDirectory } from "./initramfs.ts";
import { debianKernel, type Kernel, type KernelFlavour } from "./kernels.ts";
import { LEVAIN } from "./levain-image.ts";

// Without what Debian recommends beside dracut (cryptsetup, lvm2, mdadm, …).
const PACKAGES = [
  "systemd-sysv",
  "udev",
  "zstd",
  "xz-utils",
  "busybox",
  "initramfs-tools",
  "dracut-core",
  "tiny-initramfs-core",
];

// Copying the modules for any machine is most of what an image costs, so most of these have only those of a disk of a guest.
const DISK_MODULES = ["virtio_pci", "virtio_blk", "ext4"];

/** A shell command that leaves in `conf` how mkinitramfs makes an image with no other modules than these, as initramfs.conf(5) says it. */
export function confWithModules(modules: readonly string[]): string {
  return `cp -r /etc/initramfs-tools conf; echo MODULES=list >> conf/initramfs.conf; echo '${modules.join("\n")}' >> conf/modules`;
}

/** Commands that write `image` for a kernel; run in a Debian that has these tools. The compressors are those of the tools, at levels that cost less than their own. */
const COMMANDS = {
  "initramfs-tools for any machine": (version: string) => `mkinitramfs -o image ${version}`,
  "initramfs-tools": (version: string) => `${confWithModules(DISK_MODULES)}; mkinitramfs -d conf -o image ${version}`,
  "initramfs-tools without BusyBox": (version: string) =>
    `${confWithModules(DISK_MODULES)}; echo BUSYBOX=n >> conf/initramfs.conf; mkinitramfs -d conf -o image ${version}`,
  "dracut for any machine": (version: string) =>
    `dracut --no-hostonly --compress 'zstd -3 -q' --quiet --kver ${version} image`,
  dracut: (version: string) =>
    `dracut --no-hostonly --compress 'zstd -3 -q' --quiet --modules "systemd-initrd dracut-systemd base fs-lib kernel-modules rootfs-block udev-rules shutdown" --drivers "${DISK_MODULES.join(" ")}" --kver ${version} image`,
  "dracut without systemd": (version: string) =>
    `dracut --no-hostonly --compress 'xz -0 --check=crc32' --quiet --modules "base fs-lib kernel-modules rootfs-block udev-rules shutdown" --drivers "${DISK_MODULES.join(" ")}" --kver ${version} image`,
  "tiny-initramfs": (version: string) =>
    `mktirfs --microcode=no --auto-modules=no --include-modules=${DISK_MODULES.join(",")} -o image ${version}`,
} as const;

export type ForeignTool = keyof typeof COMMANDS;

/** An initramfs that Debian's own tool has made for this kernel. Minutes the first time; needs root. */
export async function foreignImage(tool: ForeignTool, flavour: KernelFlavour = "cloud"): Promise<string> {
  const kernel = await debianKernel(flavour);
  const command = COMMANDS[tool](kernel.version);
  const key = recipeKey(command, PACKAGES);
  const directory = await cached("foreign-images", `${tool.replaceAll(" ", "-")}-${key}`, async (target) => {
    await runInTools(kernel, `${command}; mv image /mnt`, target);
  });
  return join(directory, "image");
}

/** Runs a shell script in the Debian that has the tools, in a new directory of its own, with `directory` of the host at /mnt. Returns its stdout. */
export async function runInTools(kernel: Kernel, script: string, directory: string): Promise<string> {
  const root = await debianWithTools(kernel);
  // Mounts that end with the process: the tools look into them.
  const mounts =
    'mount -t proc proc "$1/proc"; mount -t sysfs sysfs "$1/sys"; mount --bind /dev "$1/dev"; mount --bind "$3" "$1/mnt"';
  const inside = `cd "$(mktemp -d)"; ${script}`;
  return run([
    ...["unshare", "--mount", "--pid", "--fork", "--kill-child"],
    "/bin/sh",
    "-euc",
    `${mounts}; exec chroot "$1" /bin/sh -euc "$2"`,
    "sh",
    root,
    inside,
    directory,
  ]);
}

/** Debian with the tools, and the kernel's files where its package would put them. */
async function debianWithTools(kernel: Kernel): Promise<string> {
  const directory = await cached("foreign-debian", recipeKey(PACKAGES, kernel.version), async (target) => {
    const root = join(target, "root");
    await installDebian(root, PACKAGES.join(","));
    const { modulesDir, version, vmlinuz } = kernel;
    await runScript('mkdir -p "$2/lib/modules"; cp -a "$1" "$2/lib/modules/"', [modulesDir, root]);
    await runScript('cp -a "$1/"*"-$2" "$3/boot/"', [dirname(vmlinuz), version, root]);
  });
  return join(directory, "root");
}

/** The same image with levain as its /init, by `levain graft`. */
export async function grafted(image: string, ...words: readonly string[]): Promise<string> {
  const output = join(scratchDirectory(), "image");
  await run([LEVAIN, "graft", image, "--output", output, "--compress", "zstd:1", ...words]);
  return output;
}

/** How `repacked` changes the tree of an image: a shell script that runs in it, with the kernel's version as $1. */
export async function repacked(image: string, version: string, script: string): Promise<string> {
  const tree = join(scratchDirectory(), "tree");
  await run([LEVAIN, "extract", image, tree]);
  await runScript(script, [version], { cwd: tree });
  return packDirectory(tree);
}
