import { BootError } from "../../problems/errors.ts";
import type { Content } from "./content.ts";

/**
 * One entry of the image, which belongs to root. `path` is absolute and normal ("/bin/sh"), `mode` the permission bits, 07777.
 * Files that share one `content` object are hard links.
 */
export type ImageEntry = { readonly path: string } & (
  | { readonly kind: "file"; readonly mode: number; readonly content: Content }
  | { readonly kind: "directory" | "fifo"; readonly mode: number }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "block" | "character"; readonly mode: number; readonly major: number; readonly minor: number }
);

/** The image under construction: entries by path. */
export type ImageTree = Map<string, ImageEntry>;

/**
 * Adds `entry` and the directories above it; an earlier entry at its path is replaced. Throws BootError if that is a directory
 * and `entry` is not, or the reverse, or if its path is below something that is not a directory.
 */
export function putEntry(tree: ImageTree, entry: ImageEntry): void {
  checkPath(entry.path);
  const there = tree.get(entry.path);
  if (there && (there.kind === "directory") !== (entry.kind === "directory")) {
    throw new BootError(`${entry.path} would be both a ${there.kind} and a ${entry.kind} in the image`, {
      hint: "choose another destination for one of them",
    });
  }
  for (const parent of parentsOf(entry.path)) {
    const above = tree.get(parent);
    if (!above) tree.set(parent, { kind: "directory", path: parent, mode: 0o755 });
    else if (above.kind !== "directory") {
      throw new BootError(`cannot add ${entry.path} to the image: ${parent} is a ${above.kind} there`, {
        hint: "choose another destination",
      });
    }
  }
  tree.set(entry.path, entry);
}

/**
 * What comes first in the archive. The kernel boots with the unpacked part of an image that is truncated or exceeds the memory:
 * with /init first it finds nothing else to start, and the failure policy is there before any shell.
 */
const FIRST: readonly string[] = ["/init", "/etc", "/etc/levain.cmdline", "/etc/levain.keys", "/etc/levain.json"];

/** Returns whether an entry belongs to what comes first. */
export function isFirst({ path }: ImageEntry): boolean {
  return FIRST.includes(path);
}

/** Returns the entries in the order of the archive: `FIRST`, then bytewise by path, directories before their contents. */
export function sortEntries(tree: ImageTree): readonly ImageEntry[] {
  const rank = (path: string) => (FIRST.includes(path) ? FIRST.indexOf(path) : FIRST.length);
  return [...tree.values()]
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => rank(a.entry.path) - rank(b.entry.path) || Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

/** MAXSYMLINKS of linux/namei.h. */
const MOST_LINKS = 40;

/** Returns the entry at a path, symbolic links followed as the kernel does, at most `links` of them; undefined if there is none. */
export function findEntry(tree: ImageTree, path: string, links = MOST_LINKS): ImageEntry | undefined {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  let here = "";
  for (const [index, name] of names.entries()) {
    const next = name === ".." ? here.replace(/\/[^/]*$/, "") : `${here}/${name}`;
    const entry = tree.get(next);
    if (entry?.kind === "symlink") {
      const start = entry.target.startsWith("/") ? "" : here;
      const rest = [start, entry.target, ...names.slice(index + 1)].join("/");
      return links > 0 ? findEntry(tree, rest, links - 1) : undefined;
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
      `expected an absolute path without "." and ".." for the image but received ${JSON.stringify(path)}`,
    );
  }
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
