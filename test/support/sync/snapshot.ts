import type { EntryStatus, Tree } from "../../../src/machine/trees.ts";
import type { Layers, MergedDirectory } from "../../../src/stack/sync/layers.ts";
import { lookUp } from "../../../src/stack/sync/lookup.ts";

/** All that a tree shows: a line for each path, in which names of one file refer to the first of them. */
export type Snapshot = ReadonlyMap<string, string>;

interface Shown {
  readonly status: EntryStatus;
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  /** Of a file or a symbolic link. */
  readonly content: string;
}

export function snapshot(tree: Tree): Snapshot {
  const lines = createLines();
  const visit = (path: string) => {
    const status = tree.status(path);
    if (status === null) return;
    lines.add(path, { status, attributes: tree.attributes(path), content: contentOf(tree, path, status) });
    if (status.kind !== "directory") return;
    for (const name of tree.list(path).toSorted()) visit(joined(path, name));
  };
  visit("");
  return lines.all;
}

/** The same of an overlay of these trees, as levain understands overlayfs: a guest compares that with the kernel. */
export function mergedSnapshot(trees: readonly Tree[], layers: Layers): Snapshot {
  const lines = createLines();
  const visit = (path: string, directory: MergedDirectory) => {
    const names = new Set(directory.flatMap((part) => layers.list(part)));
    for (const name of [...names].sort()) {
      const found = lookUp(layers, directory, name);
      if (found === null) continue;
      const { status, attributes, place } = found.top;
      // Files of different layers are never one.
      const inode = status.inode * 16n + BigInt(place.layer);
      const content = contentOf(trees[found.data.layer] as Tree, found.data.path, status);
      lines.add(joined(path, name), { status: { ...status, inode }, attributes, content });
      visit(joined(path, name), found.parts);
    }
  };
  visit(
    "",
    trees.map((_, layer) => ({ layer, path: "", hasFileWhiteouts: false })),
  );
  return lines.all;
}

function createLines(): { readonly all: Map<string, string>; add(path: string, shown: Shown): void } {
  const all = new Map<string, string>();
  const firstNames = new Map<bigint, string>();
  return {
    all,
    add(path, { status, attributes, content }) {
      const { kind, mode, userId, groupId, size, links, inode, represents, modifiedNs } = status;
      const first = kind === "directory" || links < 2 ? path : (firstNames.get(inode) ?? path);
      firstNames.set(inode, first);
      const values = [...attributes].map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`);
      const bytes = kind === "file" ? size : "";
      const parts = [kind, mode.toString(8), `${userId}:${groupId}`, bytes, represents ?? "", modifiedNs, content];
      all.set(path, [...parts, first === path ? "" : `[= ${first}]`, ...values.sort()].join(" "));
    },
  };
}

function contentOf(tree: Tree, path: string, { kind, size }: EntryStatus): string {
  if (kind === "symlink") return tree.readLink(path);
  if (kind !== "file") return "";
  const file = tree.openFile(path);
  const bytes = new Uint8Array(size);
  file.read(bytes, 0);
  file.close();
  return Bun.hash(bytes).toString(36);
}

function joined(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Returns what differs between two snapshots. */
export function differences(one: Snapshot, other: Snapshot): readonly string[] {
  const paths = [...new Set([...one.keys(), ...other.keys()])];
  return paths.flatMap((path) => {
    const [wanted, got] = [one.get(path), other.get(path)];
    return wanted === got ? [] : [`${JSON.stringify(path)}: wanted ${wanted ?? "nothing"}, got ${got ?? "nothing"}`];
  });
}

/** Returns a snapshot that does not say which names are of one file. */
export function withoutLinks(lines: Snapshot): Snapshot {
  return new Map([...lines].map(([path, line]) => [path, line.replace(/\[= [^\]]*\]/, "")]));
}
