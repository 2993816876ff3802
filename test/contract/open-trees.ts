import { deepEqual, equal } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import type { Tree } from "../../src/machine/trees.ts";
import { type ContractCase, refuses } from "./case.ts";

export const OPEN_TREE_CASES: readonly ContractCase[] = [
  {
    name: "a tree makes entries of each kind, also with names that are not UTF-8, and says what they are",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        tree.makeDirectory("\xff");
        tree.makeSymlink("\xfe/target", "\xff/link");
        tree.makeNode("\xff/fifo", "fifo", null);
        tree.makeNode("\xff/whiteout", "character", "0:0");
        tree.makeNode("\xff/disk", "block", "8:300");
        writeFile(tree, "\xff/file", "content");
        deepEqual(tree.list("\xff").toSorted(), ["disk", "fifo", "file", "link", "whiteout"]);
        const kinds = tree
          .list("\xff")
          .toSorted()
          .map((name) => tree.status(`\xff/${name}`)?.kind);
        deepEqual(kinds, ["block", "fifo", "file", "symlink", "character"]);
        deepEqual([tree.status("\xff/disk")?.represents, tree.status("\xff/whiteout")?.represents], ["8:300", "0:0"]);
        equal(tree.readLink("\xff/link"), "\xfe/target");
        deepEqual([tree.status("\xff/file")?.size, tree.status("\xff/file")?.mode], [7, 0o600]);
        refuses("EEXIST", () => tree.createFile("\xff/file"));
        refuses("EINVAL", () => tree.readLink("\xff/file"));
      }),
  },
  {
    name: "a tree never leads through a symbolic link",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        tree.makeDirectory("real");
        writeFile(tree, "real/file", "");
        tree.makeSymlink("real", "link");
        deepEqual(
          [tree.status("link")?.kind, tree.status("link/file"), tree.status("real/file/below")],
          ["symlink", null, null],
        );
        tree.setAttribute("link", "trusted.one", Buffer.from("of the link"));
        equal(tree.attributes("real").size, 0);
        tree.remove("link");
        deepEqual(tree.list(""), ["real"]);
      }),
  },
  {
    name: "a tree may have more levels than a process may have open files",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        const paths = Array.from({ length: 2000 }, (_, level) =>
          Array.from({ length: level + 1 }, () => "d").join("/"),
        );
        for (const path of paths) tree.makeDirectory(path);
        const bottom = paths.at(-1) ?? "";
        writeFile(tree, `${bottom}/file`, "deep");
        tree.makeDirectory("other");
        tree.link(`${bottom}/file`, "other/name");
        tree.rename("other/name", `${bottom}/name`);
        deepEqual(tree.list(bottom).toSorted(), ["file", "name"]);
        equal(tree.status(`${bottom}/name`)?.links, 2);
      }),
  },
  {
    name: "a tree keeps owner, mode, time and attributes, and removes attributes that are not there",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        writeFile(tree, "file", "");
        tree.setAccess("file", { userId: 1000, groupId: 50, mode: 0o4711 });
        tree.setAttribute("file", "trusted.one", Buffer.from("1"));
        tree.setAttribute("file", "security.two", Buffer.from("22"));
        tree.removeAttribute("file", "security.two");
        tree.removeAttribute("file", "security.two");
        for (const time of [-1n, 1_000_000_007n, 4_102_444_800_123_456_789n]) {
          tree.setModified("file", time);
          equal(tree.status("file")?.modifiedNs, time);
        }
        const { userId, groupId, mode } = tree.status("file") ?? {};
        deepEqual([userId, groupId, mode], [1000, 50, 0o4711]);
        const attributes = [...tree.attributes("file")].map(([name, value]) => [name, Buffer.from(value).toString()]);
        deepEqual(attributes, [["trusted.one", "1"]]);
      }),
  },
  {
    name: "links of a tree are one file, and a rename replaces what is no directory",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        writeFile(tree, "one", "1");
        writeFile(tree, "two", "2");
        tree.link("one", "other");
        deepEqual([tree.status("one")?.links, tree.status("other")?.inode], [2, tree.status("one")?.inode]);
        tree.rename("two", "one");
        deepEqual([readFile(tree, "one"), tree.status("other")?.links], ["2", 1]);
        tree.makeDirectory("directory");
        writeFile(tree, "directory/inside", "");
        refuses("EISDIR", () => tree.rename("one", "directory"));
        refuses("ENOTEMPTY", () => tree.remove("directory"));
        tree.rename("directory", "moved");
        deepEqual([tree.status("directory/inside"), tree.status("moved/inside")?.kind], [null, "file"]);
        tree.remove("moved/inside");
        tree.remove("moved");
        refuses("ENOENT", () => tree.remove("moved"));
      }),
  },
  {
    name: "a tree of many directories, deep ones too, renames and links between any two of them",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        const deep = Array.from({ length: 90 }, (_, depth) => new Array(depth + 1).fill("d").join("/"));
        for (const path of deep) tree.makeDirectory(path);
        const target = deep.at(-1) ?? "";
        for (let count = 0; count < 200; count++) {
          tree.makeDirectory(`${count}`);
          writeFile(tree, `${count}/file`, `${count}`);
          tree.rename(`${count}/file`, count % 2 === 0 ? `${target}/${count}` : `${(count * 7) % count}/${count}`);
        }
        tree.link(`${target}/198`, "199/linked");
        deepEqual([tree.list(target).length, readFile(tree, "199/linked")], [100, "198"]);
        deepEqual(tree.status("198/file"), null);
      }),
  },
  {
    name: "a file of a tree has the size that it was finished with, and only files are opened",
    check: (machine, directory) =>
      inTree(machine, directory, (tree) => {
        const file = tree.createFile("file");
        file.write(Buffer.from("end"), 8192);
        file.finish(16_384);
        const reader = tree.openFile("file");
        const bytes = new Uint8Array(20_000);
        deepEqual(
          [reader.size, reader.read(bytes, 0), Buffer.from(bytes.subarray(8192, 8195)).toString()],
          [16_384, 16_384, "end"],
        );
        deepEqual([reader.nextData(16_384), (reader.nextData(0)?.end ?? 0) > 8192], [null, true]);
        reader.close();
        refuses("EINVAL", () => tree.openFile(""));
      }),
  },
];

function inTree(machine: Machine, directory: string, use: (tree: Tree) => void): void {
  const tree = machine.openTree(directory, "as mounted");
  use(tree);
  tree.sync();
  tree.close();
}

function writeFile(tree: Tree, path: string, text: string): void {
  const file = tree.createFile(path);
  file.write(Buffer.from(text), 0);
  file.finish(text.length);
}

function readFile(tree: Tree, path: string): string {
  const file = tree.openFile(path);
  const bytes = new Uint8Array(file.size);
  file.read(bytes, 0);
  file.close();
  return Buffer.from(bytes).toString();
}
