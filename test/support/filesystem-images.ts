import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { type RootChanges, smallRoot } from "./root-tree.ts";

/** Filesystems whose images are made here, as `root=`'s type says it, with the compression of those that have one. */
export type ImageType =
  | "ext2"
  | "ext3"
  | "ext4"
  | "xfs"
  | "btrfs"
  | "squashfs-gzip"
  | "squashfs-xz"
  | "squashfs-lz4"
  | "squashfs-zstd"
  | "erofs"
  | "iso9660"
  | "vfat";

/** What an image is named; where the type has no such thing (squashfs has neither), it is left out. */
export interface ImageNames {
  readonly label?: string;
  readonly uuid?: string;
}

type Maker = (tree: string, image: string, names: ImageNames) => Promise<unknown>;

/** An image file of this type that holds the directory `tree`; `sizeMib` for those that have free space (default: the type's smallest). */
export async function treeImage(
  type: ImageType,
  tree: string,
  names: ImageNames = {},
  sizeMib = SMALLEST_MIB[type] ?? 0,
): Promise<string> {
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), type, tree, await treeKey(tree), names, sizeMib);
  const directory = await cached("images", `${type}-${key}`, async (target) => {
    const image = join(target, "image");
    if (sizeMib > 0) await run(["truncate", "-s", `${sizeMib}M`, image]);
    await MAKERS[type](tree, image, names);
  });
  return join(directory, "image");
}

export async function rootImage(type: ImageType, names: ImageNames = {}, changes: RootChanges = {}): Promise<string> {
  return treeImage(type, await smallRoot(changes), names);
}

/** A copy of an image that no kernel should mount: cut off in the middle, or with its second half overwritten by 0xA5. */
export async function corruptImage(image: string, how: "truncated" | "garbled"): Promise<string> {
  const size = statSync(image).size;
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), image, size, how);
  const directory = await cached("images", `corrupt-${key}`, async (target) => {
    const bytes = readFileSync(image);
    const half = Math.floor(size / 2 / 4096) * 4096;
    await Bun.write(join(target, "image"), how === "truncated" ? bytes.subarray(0, half) : bytes.fill(0xa5, half));
  });
  return join(directory, "image");
}

/** A copy of an ext4 image as a system that is hibernated leaves it: the journal is to be replayed, and an inode is orphaned. */
export async function uncleanImage(image: string): Promise<string> {
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), image);
  const directory = await cached("images", `unclean-${key}`, async (target) => {
    const script = `cp --sparse=always "$1" "$2" && debugfs -w -R "write /dev/null orphan" "$2"
      inode=$(debugfs -R "stat orphan" "$2" 2>/dev/null | sed -n "s/^Inode: \\([0-9]*\\).*/\\1/p")
      debugfs -w -R "feature needs_recovery" "$2" && debugfs -w -R "set_super_value last_orphan $inode" "$2"`;
    await runScript(script, [image, join(target, "image")]);
  });
  return join(directory, "image");
}

// mkfs.xfs and mkfs.btrfs refuse smaller ones; the files are sparse.
const SMALLEST_MIB: Readonly<Partial<Record<ImageType, number>>> = {
  ext2: 32,
  ext3: 32,
  ext4: 32,
  xfs: 300,
  btrfs: 128,
  vfat: 64,
};

const MAKERS: Readonly<Record<ImageType, Maker>> = {
  ext2: makeExt("ext2"),
  ext3: makeExt("ext3"),
  ext4: makeExt("ext4"),
  async xfs(tree, image, { label, uuid }) {
    const prototype = `${image}.proto`;
    await Bun.write(prototype, `/\n0 0\n${xfsPrototype(tree, "d--755 0 0")}\n`);
    await run([
      "mkfs.xfs",
      "-q",
      ...option("-L", label),
      ...(uuid === undefined ? [] : ["-m", `uuid=${uuid}`]),
      "-p",
      prototype,
      image,
    ]);
  },
  btrfs: (tree, image, { label, uuid }) =>
    run(["mkfs.btrfs", "-q", ...option("-L", label), ...option("-U", uuid), "--rootdir", tree, image]),
  "squashfs-gzip": makeSquashfs("gzip"),
  "squashfs-xz": makeSquashfs("xz"),
  "squashfs-lz4": makeSquashfs("lz4"),
  "squashfs-zstd": makeSquashfs("zstd"),
  erofs: (tree, image, { uuid }) => run(["mkfs.erofs", "-zlz4", ...option("-U", uuid), image, tree]),
  iso9660(tree, image, { label, uuid = "" }) {
    // An ISO's UUID is its time, as 2025-11-01-10-00-00-00.
    const time = /^\d{4}(-\d\d){6}$/.test(uuid) ? [`--modification-date=${uuid.replaceAll("-", "")}`] : [];
    return run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", ...time, ...option("-V", label), "-o", image, tree]);
  },
  async vfat(tree, image, { label, uuid }) {
    await run(["mkfs.vfat", "-F", "32", ...option("-n", label), ...option("-i", uuid?.replace("-", "")), image]);
    await runScript('cd "$2" && [ -z "$(ls -A)" ] || mcopy -s -i "$1" * ::/', [image, tree]);
  },
};

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

function makeExt(type: string): Maker {
  return (tree, image, { label, uuid }) =>
    run([`mkfs.${type}`, "-q", "-F", ...option("-L", label), ...option("-U", uuid), "-d", tree, image]);
}

function makeSquashfs(compression: string): Maker {
  // At zstd's default level, Debian's tree costs 24 s of CPU time instead of 1 s, and is a fifth smaller.
  const level = compression === "zstd" ? ["-Xcompression-level", "1"] : [];
  const options = ["-quiet", "-no-progress", "-all-root", "-comp", compression, ...level];
  return (tree, image) => run(["mksquashfs", tree, image, ...options]);
}

// A prototype file as in mkfs.xfs(8): what to put into the new filesystem, without mounting it.
function xfsPrototype(directory: string, head: string): string {
  const lines = readdirSync(directory, { withFileTypes: true }).map((entry) => {
    const path = join(directory, entry.name);
    const mode = (lstatSync(path).mode & 0o777).toString(8).padStart(3, "0");
    if (entry.isDirectory()) return `${entry.name} ${xfsPrototype(path, `d--${mode} 0 0`)}`;
    if (entry.isSymbolicLink()) return `${entry.name} l--777 0 0 ${readlinkSync(path)}`;
    return `${entry.name} ---${mode} 0 0 ${path}`;
  });
  return `${head}\n${lines.join("\n")}\n$`;
}

// Names, sizes and times stand for the content. By find(1): Bun's recursive readdir goes into linked directories, and so
// by a tree's absolute links into those of the host.
async function treeKey(tree: string): Promise<string> {
  return recipeKey(await run(["find", tree, "-printf", "%P %y %m %s %T@ %l\\n"]));
}
