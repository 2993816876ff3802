import { BootError } from "../../problems/errors.ts";
import type { Content } from "./content.ts";

/**
 * One thing of the image. `path` is absolute and normal ("/bin/sh"); `mode` are the permission bits, 07777; all belong to root.
 * Files that share one `content` object are names of one file, hard links.
 */
export type ImageEntry =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Content }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "fifo"; readonly path: string; readonly mode: number }
  | DeviceEntry;

/** A device node, as mknod(2) makes it. */
export interface DeviceEntry {
  readonly kind: "block" | "character";
  readonly path: string;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
}

/** The image while it is put together: path → entry. */
export type ImageTree = Map<string, ImageEntry>;

/**
 * Puts `entry` into the tree, with the directories above it. What was at its path is replaced, so the last one wins;
 * a directory and something else at one path, or a path below a thing that is no directory, is a BootError.
 */
export function putEntry(tree: ImageTree, entry: ImageEntry): void {
  checkPath(entry.path);
  const there = tree.get(entry.path);
  if (there && (there.kind === "directory") !== (entry.kind === "directory")) {
    throw new BootError(`${entry.path} would be a ${there.kind} and a ${entry.kind} in the image`, {
      hint: "give one of them another destination",
    });
  }
  for (const parent of parentsOf(entry.path)) {
    const above = tree.get(parent);
    if (!above) tree.set(parent, { kind: "directory", path: parent, mode: 0o755 });
    else if (above.kind !== "directory") {
      throw new BootError(`cannot put ${entry.path} into the image: ${parent} is a ${above.kind} there`, {
        hint: "give it another destination",
      });
    }
  }
  tree.set(entry.path, entry);
}

/**
 * What comes first in the archive. The kernel keeps what it has unpacked of an image that is cut off or does not fit into
 * memory: /init before all else leaves it nothing to start in its place, and the failure policy comes before any shell.
 */
const FIRST: readonly string[] = ["/init", "/etc", "/etc/levain.cmdline", "/etc/levain.keys", "/etc/levain.json"];

/** Every entry in the order of the archive: `FIRST`, then bytewise by path, so that a directory comes before what is in it. */
export function sortEntries(tree: ImageTree): readonly ImageEntry[] {
  const rank = (path: string) => (FIRST.includes(path) ? FIRST.indexOf(path) : FIRST.length);
  return [...tree.values()]
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => rank(a.entry.path) - rank(b.entry.path) || Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

/** MAXSYMLINKS of linux/namei.h. */
const MOST_LINKS = 40;

/** What is at a path of the tree, symbolic links followed as the kernel does, `links` of them at most; undefined where nothing is. */
export function findEntry(tree: ImageTree, path: string, links = MOST_LINKS): ImageEntry | undefined {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  let here = "";
  for (const [index, name] of names.entries()) {
    const next = name === ".." ? here.replace(/\/[^/]*$/, "") : `${here}/${name}`;
    const entry = tree.get(next);
    if (entry?.kind === "symlink") {
      const start = entry.target.startsWith("/") ? "" : here;
      return links > 0
        ? findEntry(tree, [start, entry.target, ...names.slice(index + 1)].join("/"), links - 1)
        : undefined;
    }
    if (entry === undefined && next !== "") return undefined;
    here = next;
  }
  return tree.get(here);
}

function checkPath(path: string): void {
  const parts = path.split("/").slice(1);
  const normal = path.startsWith("/") && parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (!normal || path.includes("\0")) {
    throw new BootError(
      `Expected an absolute path without "." and ".." for the image but received ${JSON.stringify(path)}`,
    );
  }
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
