import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unpackTree } from "../../../../src/desk/inspect/unpack-tree.ts";
import { findNode, listTree, resolvePath } from "../../../../src/desk/inspect/unpacked-tree.ts";
import { DIRECTORY, FILE, type RawMember, rawCpio, SYMLINK } from "../../../support/crafted-cpio.ts";
import { readCpio } from "../../../support/read-cpio.ts";

/** The tree of archives with these members, as "path content" or "path -> target" lines; and what was left out. */
function unpack(...archives: readonly (readonly RawMember[])[]) {
  const tree = unpackTree(archives.map((members) => readCpio(rawCpio(members)).members));
  const lines = [...listTree(tree.root)].map(([path, node]) => {
    if (node.kind === "file") return `${path} ${Buffer.from(node.data).toString()}`;
    return node.kind === "symlink" ? `${path} -> ${node.target}` : `${path} (${node.kind})`;
  });
  return { ...tree, lines };
}

const directory = (name: string): RawMember => ({ name, mode: DIRECTORY });
const file = (name: string, data = ""): RawMember => ({ name, data });
const link = (name: string, data: string): RawMember => ({ name, mode: SYMLINK, data });

describe("archives one over the other", () => {
  test("the later member wins, also over one of another type", () => {
    const first = [file("init", "old"), directory("etc"), link("bin", "usr/bin"), directory("empty")];
    const { lines, problems } = unpack(first, [file("init", "new"), link("empty", "etc"), file("bin", "x")]);
    expect(lines).toEqual(["/bin x", "/empty -> etc", "/etc (directory)", "/init new"]);
    expect(problems).toEqual([]);
  });

  test("a directory that is not empty is kept", () => {
    const { lines, problems } = unpack([directory("d"), file("d/f", "1")], [link("d", "/elsewhere")]);
    expect(lines).toEqual(["/d (directory)", "/d/f 1"]);
    expect(problems[0]).toContain("d: a directory that is not empty");
  });

  test("a directory that comes again keeps what is in it, and takes the later mode", () => {
    const { lines, problems, root } = unpack([directory("d"), file("d/f", "1")], [{ name: "d", mode: 0o040700 }]);
    expect([lines, problems]).toEqual([["/d (directory)", "/d/f 1"], []]);
    expect(findNode(root, "d")?.mode).toBe(0o700);
  });

  test("a name goes through symbolic links above it, as in a root of its own", () => {
    const { lines } = unpack(
      [directory("usr"), directory("usr/lib"), link("lib", "/../../usr/lib")],
      [file("lib/a", "1")],
    );
    expect(lines).toContain("/usr/lib/a 1");
  });

  test("a symbolic link itself is replaced, not what it points to", () => {
    const { lines } = unpack([file("target", "kept"), link("init", "target")], [file("init", "new")]);
    expect(lines).toEqual(["/init new", "/target kept"]);
  });

  test("what has no directory is left out and named", () => {
    const { lines, problems } = unpack([file("a/b")]);
    expect(lines).toEqual([]);
    expect(problems).toEqual(["a/b: its directory does not exist, so the kernel leaves it out"]);
  });
});

test("what the kernel cannot make is left out and named", () => {
  const members = [
    link("l", ""),
    link("m", "x".repeat(4096)),
    file("n".repeat(256)),
    { name: "o", mode: 0 },
    file("."),
  ];
  const { lines, problems } = unpack([...members, file("kept")]);
  expect(lines).toEqual(["/kept "]);
  expect(problems).toHaveLength(5);
});

describe("hard links", () => {
  test.each([0, 1])("share the content, whichever of them has it", (which) => {
    const names = ["a", "b"].map((name, index) => ({ name, ino: 7, nlink: 2, data: index === which ? "text" : "" }));
    const { root, lines } = unpack(names);
    expect(lines).toEqual(["/a text", "/b text"]);
    expect(findNode(root, "a")).toBe(findNode(root, "b"));
  });

  test("hold within one archive, and are not of files with one name", () => {
    const { root } = unpack([{ name: "a", ino: 7, nlink: 2, data: "1" }], [{ name: "b", ino: 7, nlink: 2, data: "2" }]);
    expect(findNode(root, "a")).not.toBe(findNode(root, "b"));
    const single = unpack([
      { name: "a", ino: 7, data: "1" },
      { name: "b", ino: 7, data: "2" },
    ]);
    expect(single.lines).toEqual(["/a 1", "/b 2"]);
  });
});

describe("paths", () => {
  const { root } = unpack([
    directory("d"),
    link("d/up", "../../../d"),
    link("loop", "loop"),
    file("d/f", "1"),
    link("d/abs", "/d/f"),
  ]);

  test("never lead out of the tree", () => {
    expect(resolvePath(root, "/d/up/f")).toBe("/d/f");
    expect(resolvePath(root, "../../d/./f")).toBe("/d/f");
    expect(resolvePath(root, "/d/abs")).toBe("/d/f");
    expect(resolvePath(root, "/")).toBe("/");
  });

  test("that go round in circles or through files lead nowhere", () => {
    expect(resolvePath(root, "/loop")).toBeNull();
    expect(resolvePath(root, "/d/f/g")).toBeNull();
    expect(resolvePath(root, "/__proto__")).toBeNull();
  });

  test("every path of a tree is resolved, for any names and links in the archive", () => {
    const name = fc
      .array(fc.constantFrom("..", ".", "", "a", "b", "c", "c\0d"), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"));
    const member = fc.record({ name, mode: fc.constantFrom(FILE, DIRECTORY, SYMLINK, 0, 0o160000), data: name });
    fc.assert(
      fc.property(fc.array(member, { maxLength: 30 }), (members) => {
        const { root: tree } = unpack(members);
        for (const [path] of listTree(tree)) {
          expect(path).toMatch(/^(\/[abc])+$/);
          const node = findNode(tree, path);
          if (node !== null) expect(resolvePath(tree, path)).toMatch(/^(\/[abc])*\/?$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
