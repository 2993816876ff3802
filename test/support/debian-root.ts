import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { debianMirror, downloadPackages, missingPackages } from "./debian-packages.ts";
import { treeImage } from "./filesystem-images.ts";

const SUITE = "bookworm";
const INCLUDE = "systemd-sysv,udev";

/** The UUID of filesystems with `debianRoot` in them. */
export const DEBIAN_UUID = "deb1a000-0000-4000-8000-00000000000c";

// Documentation and translations are a third of a minbase root, and no boot reads them.
const CONFIGURE = `
cd "$1"
rm -rf var/cache/apt/* var/lib/apt/lists/* usr/share/doc usr/share/man usr/share/locale usr/share/info dev/*
echo levain-debian > etc/hostname
: > etc/machine-id
: > etc/fstab
sed -i 's/^root:[^:]*:/root::/' etc/shadow
`;

/** A Debian 12 root with systemd and udev by debootstrap: root has no password, a login prompt comes on the console. Needs root; a minute or two the first time. */
export async function debianRoot(): Promise<string> {
  const directory = await cached("debian", recipeKey(readFileSync(import.meta.path, "utf8")), async (target) => {
    const tree = join(target, "tree");
    await installDebian(tree, INCLUDE);
    await runScript(CONFIGURE, [tree]);
  });
  return join(directory, "tree");
}

/** A squashfs of it. */
export async function debianImage(): Promise<string> {
  return treeImage("squashfs-zstd", await debianRoot());
}

/** Debian 12's least system with these packages ("a,b") besides, and what they cannot do without, in the new directory `tree`. Needs root. */
export async function installDebian(tree: string, packages: string): Promise<void> {
  await runScript('mkdir -p "$2"; cp -a "$1/." "$2"', [await baseSystem(), tree]);
  const debs = scratchDirectory();
  const status = join(tree, "var/lib/dpkg/status");
  await downloadPackages(await missingPackages(packages.split(","), status), debs);
  await run([...APART, "/bin/sh", "-euc", INSTALL, "sh", tree, debs], {
    environment: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

// In a mount and a PID namespace of its own: what is mounted in the tree and what packages start ends with it.
const APART = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

// apt of the new system, which knows the order in which packages can be installed; all that it needs is there.
const INSTALL = `
cd "$1"
mount -t proc proc proc; mount -t sysfs sysfs sys; mount --bind "$2" mnt
printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d; chmod 755 usr/sbin/policy-rc.d
chroot . /bin/sh -euc 'apt-get -q -y --no-install-recommends -o APT::Sandbox::User=root -o Dpkg::Options::=--force-unsafe-io install /mnt/*.deb'
rm usr/sbin/policy-rc.d
`;

/** Debian 12's least system, as debootstrap makes it: half of what it costs to make one, and the same for all. */
async function baseSystem(): Promise<string> {
  const directory = await cached("debian-base", SUITE, async (target) => {
    const mirror = await debianMirror(SUITE);
    const tree = join(target, "tree");
    await run([...APART, "debootstrap", "--variant=minbase", SUITE, tree, mirror]);
    await runScript('rm -f "$1/var/cache/apt/archives/"*.deb', [tree]);
  });
  return join(directory, "tree");
}
