import { expect, test } from "bun:test";
import { contentOfBytes } from "../../../../src/desk/archive/content.ts";
import {
  findEntry,
  type ImageEntry,
  type ImageTree,
  putEntry,
  sortEntries,
} from "../../../../src/desk/archive/tree.ts";
import { BootError } from "../../../../src/problems/errors.ts";

function file(path: string, text = ""): ImageEntry {
  return { kind: "file", path, mode: 0o644, content: contentOfBytes(text) };
}

function treeOf(...entries: readonly ImageEntry[]): ImageTree {
  const tree: ImageTree = new Map();
  for (const entry of entries) putEntry(tree, entry);
  return tree;
}

test("the directories above an entry are added automatically", () => {
  const tree = treeOf(file("/usr/lib/a/b"));
  expect([...tree.values()].map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual([
    "directory /usr",
    "directory /usr/lib",
    "directory /usr/lib/a",
    "file /usr/lib/a/b",
  ]);
});

test("a directory that is there keeps its mode when something is put into it", () => {
  const tree = treeOf({ kind: "directory", path: "/root", mode: 0o700 }, file("/root/a"));
  expect(tree.get("/root")).toEqual({ kind: "directory", path: "/root", mode: 0o700 });
});

test("the last of two entries at one path wins", () => {
  const second = file("/a", "2");
  expect(treeOf(file("/a", "1"), second).get("/a")).toBe(second);
});

test("a path cannot be a directory and something else", () => {
  expect(() => treeOf(file("/a"), { kind: "directory", path: "/a", mode: 0o755 })).toThrow("a file and a directory");
  expect(() => treeOf(file("/a/b"), file("/a"))).toThrow("a directory and a file");
});

test("nothing goes below a file or symlink", () => {
  expect(() => treeOf(file("/a"), file("/a/b"))).toThrow("/a is a file");
  expect(() => treeOf({ kind: "symlink", path: "/a", target: "/x" }, file("/a/b/c"))).toThrow("/a is a symlink");
});

test.each(["a", "", "/", "/a/", "/a//b", "/a/./b", "/../etc/passwd", "/a/..", "/a\0b"])(
  "refuses the path %j",
  (path) => {
    expect(() => treeOf(file(path))).toThrow(BootError);
  },
);

test("entries are sorted by bytes, not by UTF-16 units, and directories come before what is in them", () => {
  // U+1F600 is D83D DE00 in UTF-16, before U+FF5E, but F0… in UTF-8, after EF….
  const paths = ["/\u{1F600}", "/\uFF5E", "/b", "/a/b", "/a-b", "/a"];
  const tree = treeOf(
    file("/a/b"),
    ...paths.filter((path) => !path.startsWith("/a")).map((path) => file(path)),
    file("/a-b"),
  );
  expect(sortEntries(tree).map(({ path }) => path)).toEqual(["/a", "/a-b", "/a/b", "/b", "/\uFF5E", "/\u{1F600}"]);
});

test("/init comes first, and what it needs to know before any program that it could start", () => {
  const tree = treeOf(
    file("/bin/busybox"),
    file("/etc/levain.json"),
    file("/init"),
    file("/etc/levain.cmdline"),
    file("/a"),
  );
  expect(sortEntries(tree).map(({ path }) => path)).toEqual([
    "/init",
    "/etc",
    "/etc/levain.cmdline",
    "/etc/levain.json",
    "/a",
    "/bin",
    "/bin/busybox",
  ]);
});

test("a path is followed through symbolic links, as the kernel follows it", () => {
  const link = (path: string, target: string): ImageEntry => ({ kind: "symlink", path, target });
  const sh = file("/usr/bin/dash");
  const tree = treeOf(
    sh,
    link("/bin", "usr/bin"),
    link("/usr/bin/sh", "./dash"),
    link("/init", "/usr/../../bin//sh"),
    link("/loop", "loop"),
    link("/gone", "nowhere/sh"),
  );
  for (const path of ["/usr/bin/dash", "/bin/sh", "/init"]) expect(findEntry(tree, path)).toBe(sh);
  for (const path of ["/loop", "/gone", "/bin/sh/x", "/"]) expect(findEntry(tree, path)).toBeUndefined();
});
