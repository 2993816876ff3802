import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { downloadPackages, missingPackages } from "./debian-packages.ts";
import { treeImage } from "./filesystem-images.ts";

// What debootstrap's variant "minbase" is made of, in the terms of apt-patterns(7): usrmerge is for systems that are converted.
const LEAST = ["?essential", "?priority(required)", "apt", "usr-is-merged", "usrmerge-"];
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

/** A Debian 12 root with systemd and udev as dpkg installs it: root has no password, a login prompt comes on the console. Needs root; a minute or two the first time. */
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

// dpkg-deb and tar of this machine first make a tree in which dpkg can run, then dpkg of the new system installs the same packages.
// debootstrap, which unpacks and configures in many steps, needs three times the CPU time.
const BOOTSTRAP = `
cd "$1"
for name in bin sbin lib lib32 lib64 libx32; do mkdir -p usr/$name; ln -s usr/$name $name; done
for file in "$2"/*.deb; do dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink; done
: > var/lib/dpkg/status
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9
mkdir -p mnt; mount -t proc proc proc; mount --bind "$2" mnt
chroot . /bin/sh -euc 'dpkg --force-depends --force-unsafe-io --install /mnt/*.deb'
`;

/** Debian 12's least system (debootstrap's variant "minbase"), which all others begin with. */
async function baseSystem(): Promise<string> {
  const directory = await cached("debian-base", recipeKey(LEAST, BOOTSTRAP), async (target) => {
    const tree = join(target, "tree");
    const debs = scratchDirectory();
    mkdirSync(tree);
    await downloadPackages(await missingPackages(LEAST, "/dev/null"), debs);
    await run([...APART, "/bin/sh", "-euc", BOOTSTRAP, "sh", tree, debs], {
      environment: { DEBIAN_FRONTEND: "noninteractive" },
    });
  });
  return join(directory, "tree");
}
