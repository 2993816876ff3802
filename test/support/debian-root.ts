import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { debianMirror } from "./debian-packages.ts";
import { treeImage } from "./filesystem-images.ts";

const SUITE = "bookworm";
const INCLUDE = "systemd-sysv,udev";
const IMAGE_MIB = 768;

/** The UUID of `debianImage`. */
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

/** An ext4 image of it, with UUID `DEBIAN_UUID` and label "debian"; or a squashfs. */
export async function debianImage(type: "ext4" | "squashfs-zstd"): Promise<string> {
  if (type === "squashfs-zstd") return treeImage(type, await debianRoot());
  return treeImage(type, await debianRoot(), { label: "debian", uuid: DEBIAN_UUID }, IMAGE_MIB);
}

/** Debian 12's least system with these packages ("a,b") besides, and what they cannot do without, in the new directory `tree`. Needs root. */
export async function installDebian(tree: string, packages: string): Promise<void> {
  const options = ["--variant=minbase", `--include=${packages}`, `--cache-dir=${await packageCache()}`];
  // In a mount and a PID namespace of its own: what it mounts in the tree and what its packages start ends with it.
  const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  await run([...apart, "debootstrap", ...options, SUITE, tree, await debianMirror(SUITE)]);
}

function packageCache(): Promise<string> {
  return cached("debootstrap-packages", SUITE, () => Promise.resolve());
}
