import { dirname, join } from "node:path";
import { cached, recipeKey } from "../test/support/cache.ts";
import { run, runScript } from "../test/support/command.ts";
import { debianMirror, downloadPackages } from "../test/support/debian-packages.ts";
import type { Kernel } from "../test/support/kernels.ts";

/** Debian 12, and Debian's development version, which has the newest tools. */
export type Suite = "bookworm" | "sid";

/** What an image boots: a root on a disk, a live medium, or a root in a LUKS volume. */
export type Purpose = "disk" | "live" | "luks";

// Without what Debian recommends beside dracut (cryptsetup, lvm2, mdadm, …).
const TOOLS = ["systemd-sysv", "udev", "zstd", "xz-utils", "busybox", "initramfs-tools", "dracut-core"];

/** What else is installed for a purpose. Not in one system for all, because the hooks of these packages enlarge every image. */
const INSTALLED: Readonly<Record<Purpose, Readonly<Record<Suite, readonly string[]>>>> = {
  disk: { bookworm: ["tiny-initramfs-core"], sid: [] },
  live: { bookworm: ["live-boot", "dmsetup"], sid: ["live-boot", "dmsetup"] },
  luks: {
    bookworm: ["cryptsetup-initramfs"],
    sid: ["cryptsetup-initramfs", "systemd-cryptsetup"],
  },
};
/** What is unpacked only: dracut-live needs dracut, which cannot be installed beside initramfs-tools. In sid, dracut-core contains it. */
const UNPACKED: Readonly<Record<Purpose, Readonly<Record<Suite, readonly string[]>>>> = {
  disk: { bookworm: [], sid: [] },
  live: { bookworm: ["dracut-live"], sid: [] },
  luks: { bookworm: [], sid: [] },
};
const CONFIGURE: Readonly<Record<Purpose, string>> = {
  disk: "",
  live: "",
  luks: 'echo CRYPTSETUP=y >> "$1/etc/cryptsetup-initramfs/conf-hook"',
};

/**
 * Runs a shell script in a Debian with the tools for this purpose, in a new directory, with `directory` of this host at /mnt and
 * the kernel's files where its package puts them. Returns its stdout. The first time it takes minutes, and it needs root.
 */
export async function runInChroot(
  { suite, purpose }: { readonly suite: Suite; readonly purpose: Purpose },
  kernel: Kernel,
  script: string,
  directory: string,
): Promise<string> {
  const root = await chroot(suite, purpose);
  // Mounts that end with the process.
  const mounts = `mount -t proc proc "$1/proc"; mount -t sysfs sysfs "$1/sys"; mount --bind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/tmp"; mount --bind "$3" "$1/mnt"; mount --bind "$5" "$1/boot"
    mkdir -p "$1/lib/modules/$6"; mount --bind "$4" "$1/lib/modules/$6"`;
  return run([
    ...["unshare", "--mount", "--pid", "--fork", "--kill-child"],
    ...["/bin/sh", "-euc", `${mounts}; exec chroot "$1" /bin/sh -euc "$2"`, "sh"],
    ...[root, `cd "$(mktemp -d)"; ${script}`, directory, kernel.modulesDir, dirname(kernel.vmlinuz), kernel.version],
  ]);
}

async function chroot(suite: Suite, purpose: Purpose): Promise<string> {
  const packages = [...TOOLS, ...INSTALLED[purpose][suite]];
  const unpacked = UNPACKED[purpose][suite];
  const key = recipeKey(packages, unpacked, CONFIGURE[purpose]);
  const directory = await cached("bench-chroots", `${suite}-${purpose}-${key}`, async (target) => {
    const root = join(target, "root");
    await debootstrap(suite, packages, root);
    if (unpacked.length > 0) {
      await downloadPackages(unpacked, target, suite === "sid" ? "sid" : "own");
      await runScript('for file in "$1"/*.deb; do dpkg-deb -x "$file" "$1/root"; rm "$file"; done', [target]);
    }
    await runScript(CONFIGURE[purpose], [root]);
  });
  return join(directory, "root");
}

/** As in test/support/debian-root.ts, for any suite: what its packages start ends with the namespaces of the command. */
async function debootstrap(suite: Suite, packages: readonly string[], root: string): Promise<void> {
  const cache = await cached("debootstrap-packages", suite, () => Promise.resolve());
  const options = ["--variant=minbase", `--include=${packages.join(",")}`, `--cache-dir=${cache}`];
  const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  // The machine's own sources may have Debian 12 only; a mirror has every suite.
  await run([...apart, "debootstrap", ...options, suite, root, await debianMirror("bookworm")]);
}
