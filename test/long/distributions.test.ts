import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run, runScript } from "../support/command.ts";
import { distributionTest, imageOf } from "../support/distributions/guest.ts";
import { type DistributionName, distributionTree } from "../support/distributions/tree.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// vm/distributions.test.ts boots that of openSUSE, which differs most from Debian's.
distributionTest("Arch Linux", "Arch Linux");
distributionTest("Fedora", "Fedora Linux");
distributionTest("Ubuntu", "Ubuntu 24.04 LTS");
distributionTest("Raspberry Pi OS", "Debian GNU/Linux 12 (bookworm)");

/** Arguments: a system, the directory of levain, one that gets the image. */
const IN_SYSTEM = `
mount -t proc proc "$1/proc"; mount --bind "$2" "$1/initrd"; mount --bind "$3" "$1/mnt"
exec chroot "$1" /initrd/levain image --output /mnt/image --compress zstd:1`;

// Without xz, which the others need for their modules and this root does not have.
test.each(["Arch Linux", "openSUSE", "Ubuntu"] as const)(
  "levain image in a system laid out as %s finds its kernel, and the same modules as from outside",
  async (name) => {
    const place = scratchDirectory();
    const { root, initrd, said } = await imageOf(name);
    const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-euc", IN_SYSTEM, "sh"];
    const inside = await run([...apart, root, dirname(LEVAIN), place]);
    const kernel = /^ *kernel .*$/m;
    expect(kernel.exec(inside)?.[0]).toMatch(/ 6\.1\S*, \d{3} modules$/);
    expect(kernel.exec(inside)?.[0]).toBe(kernel.exec(said)?.[0]);
    const modules = async (file: string) =>
      (await run([LEVAIN, "inspect", "--list", file])).match(/\S+\.ko(?:\.gz)?$/gm);
    expect(await modules(join(place, "image"))).toEqual(await modules(initrd));
  },
  QUEUE_TIMEOUT_MS,
);

/** Every file with its content, mode and links, but for what a person may keep. */
const look = (root: string) =>
  runScript(
    `cd "$1"; find . -path ./usr/local -prune -o -path ./var/lib/dpkg/diversions-old -prune -o -printf '%p %y %m %l ' -a \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sort`,
    [root],
  );

/** Where the image of each is, and the first line of levain install. */
const INSTALLED: Readonly<Partial<Record<DistributionName, readonly [found: string, image: string]>>> = {
  "Arch Linux": ["Arch Linux (found /usr/share/libalpm/hooks)", "boot/initramfs-linux.img"],
  Fedora: ["kernel-install (found /usr/bin/kernel-install)", "boot/initramfs-VERSION.img"],
  Ubuntu: ["Debian (found /var/lib/dpkg/status)", "boot/initrd.img-VERSION"],
};

test.each(Object.entries(INSTALLED))(
  "levain install sets up a system laid out as %s, and levain uninstall takes it back",
  async (name, [found, image]) => {
    const { root: tree, version } = await distributionTree(name as DistributionName);
    const root = join(scratchDirectory(), "root");
    await runScript('cp -a "$1" "$2"; rm -rf "$2"/usr/lib/modules/6.0*', [tree, root]);
    writeFileSync(join(root, "etc/levain.toml"), `compress = "lz4:1"\nbusybox = "${BUSYBOX}"\n`);
    const before = await look(root);
    const said = await run([LEVAIN, "install", "--root", root]);
    expect(said).toStartWith(`${found}\n`);
    const file = join(root, image.replace("VERSION", version));
    expect(await run([LEVAIN, "inspect", file])).toContain(`for ${version}`);
    expect(readFileSync(`${file}.before-levain`, "utf8")).toStartWith("made by ");
    await run([LEVAIN, "uninstall", "--root", root]);
    expect(await look(root)).toBe(before);
    expect(existsSync(join(root, "usr/local/bin/levain"))).toBeFalse();
    rmSync(root, { recursive: true });
  },
  QUEUE_TIMEOUT_MS,
);
