import { describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type ExtractOptions, extractTree } from "../../../../src/desk/inspect/extraction.ts";
import { unpackTree } from "../../../../src/desk/inspect/unpack-tree.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { CHARACTER, DIRECTORY, FILE, type RawMember, rawCpio, SYMLINK } from "../../../support/crafted-cpio.ts";
import { readCpio } from "../../../support/read-cpio.ts";

const nodes: string[] = [];
const OPTIONS: ExtractOptions = {
  machine: { makeNode: (path, kind, major, minor) => void nodes.push(`${path} ${kind} ${major}:${minor}`) },
  isRoot: false,
  special: false,
  members: [],
};

function extract(members: readonly RawMember[], directory: string, options: Partial<ExtractOptions> = {}) {
  const { root } = unpackTree([readCpio(rawCpio(members)).members]);
  return extractTree(root, directory, { ...OPTIONS, ...options });
}

/** Every path below, with what is there; links are not followed. */
function snapshot(directory: string, below = ""): readonly string[] {
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      const status = lstatSync(path);
      const shown = `${below}/${name}`;
      if (status.isDirectory()) return [shown, ...snapshot(path, shown)];
      return [`${shown} ${status.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, "latin1")}`];
    });
}

describe("an image is written", () => {
  test("with modes, times, links and nothing else", () => {
    const target = join(scratchDirectory(), "new");
    const { written, leftOut } = extract(
      [
        { name: ".", mode: DIRECTORY },
        { name: "closed", mode: 0o040500, mtime: 1000 },
        { name: "closed/f", mode: 0o106755, data: "x", mtime: 2000, ino: 1, nlink: 2 },
        { name: "closed/g", mode: 0o106755, ino: 1, nlink: 2 },
        { name: "l", mode: SYMLINK, data: "../../etc/passwd" },
      ],
      target,
    );
    expect({ written, leftOut }).toEqual({ written: 4, leftOut: [] });
    expect(snapshot(target)).toEqual(["/closed", "/closed/f x", "/closed/g x", "/l -> ../../etc/passwd"]);
    const closed = statSync(join(target, "closed"));
    expect([closed.mode & 0o7777, closed.mtimeMs]).toEqual([0o500, 1_000_000]);
    const written_ = statSync(join(target, "closed/f"));
    // Only root may give a program away with its setuid bit.
    expect([written_.mode & 0o7777, written_.mtimeMs, written_.nlink]).toEqual([0o755, 2_000_000, 2]);
  });

  test("with device nodes as root only, else they are named", () => {
    const members = [{ name: "console", mode: CHARACTER, major: 5, minor: 1 }];
    expect(extract(members, join(scratchDirectory(), "x")).leftOut).toEqual([
      "/console: only root can create a device node",
    ]);
    expect(nodes).toEqual([]);
    expect(extract([{ name: "p", mode: 0o010600 }], join(scratchDirectory(), "x")).leftOut).toEqual([
      "/p: a fifo is not created",
    ]);
  });

  test("neither into a directory that is not empty, nor over a file", () => {
    const target = scratchDirectory();
    writeFileSync(join(target, "mine"), "mine");
    expect(() => extract([{ name: "f" }], target)).toThrow("not empty");
    expect(() => extract([{ name: "f" }], join(target, "mine"))).toThrow("it exists");
    expect(snapshot(target)).toEqual(["/mine mine"]);
  });

  test("only the members that are asked for, below the directories that they are in", () => {
    const members = [
      { name: "usr", mode: DIRECTORY },
      { name: "usr/bin", mode: DIRECTORY },
      { name: "usr/bin/sh", data: "sh" },
      { name: "usr/bin/ls", data: "ls" },
      { name: "bin", mode: SYMLINK, data: "usr/bin" },
    ];
    const targets = [["bin/sh"], ["/bin"], ["usr/bin"]].map((wish) => {
      const target = join(scratchDirectory(), "x");
      extract(members, target, { members: wish });
      return snapshot(target);
    });
    expect(targets).toEqual([
      ["/usr", "/usr/bin", "/usr/bin/sh sh"],
      ["/bin -> usr/bin"],
      ["/usr", "/usr/bin", "/usr/bin/ls ls", "/usr/bin/sh sh"],
    ]);
    const target = join(scratchDirectory(), "x");
    expect(() => extract(members, target, { members: ["usr/bin/nope"] })).toThrow(BootError);
    expect(existsSync(target)).toBe(false);
  });
});

describe("a crafted image", () => {
  /** What is around the target after an extraction: nothing there may have changed. */
  function around(members: readonly RawMember[]): {
    readonly before: readonly string[];
    readonly after: readonly string[];
  } {
    const outside = scratchDirectory();
    mkdirSync(join(outside, "home"));
    writeFileSync(join(outside, "home/secret"), "mine");
    symlinkSync("home/secret", join(outside, "home/link"));
    const rest = () => snapshot(outside).filter((line) => !line.startsWith("/home/target"));
    const before = rest();
    extract(members, join(outside, "home/target"));
    return { before, after: rest() };
  }

  test.each<[string, readonly RawMember[]]>([
    [
      "a name with ..",
      [
        { name: "../secret", data: "evil" },
        { name: "a/../../secret", data: "evil" },
      ],
    ],
    ["an absolute name", [{ name: "/secret", data: "evil" }]],
    [
      "a link to the directory above, and a file through it",
      [
        { name: "up", mode: SYMLINK, data: ".." },
        { name: "up/secret", data: "evil" },
      ],
    ],
    [
      "an absolute link, and a file through it",
      [
        { name: "l", mode: SYMLINK, data: "/tmp" },
        { name: "l/levain-evil", data: "evil" },
      ],
    ],
    [
      "a link that a file of its name follows",
      [
        { name: "f", mode: SYMLINK, data: "../secret" },
        { name: "f", data: "evil" },
      ],
    ],
    [
      "a hard link to a link",
      [
        { name: "l", mode: SYMLINK, data: "../secret", ino: 9, nlink: 2 },
        { name: "h", ino: 9, nlink: 2, data: "evil" },
      ],
    ],
    [
      "a directory that a link takes the place of",
      [
        { name: "d", mode: DIRECTORY },
        { name: "d", mode: SYMLINK, data: ".." },
        { name: "d/secret", data: "evil" },
      ],
    ],
  ])("with %s leaves everything else alone", (_what, members) => {
    const { before, after } = around(members);
    expect(after).toEqual(before);
    expect(existsSync("/tmp/levain-evil")).toBe(false);
  });

  test("with any names, links and hard links changes nothing else", () => {
    const name = fc
      .array(fc.constantFrom("..", "", "a", "b", "secret", "home", "\0"), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join("/"));
    const member = fc.record({
      name,
      mode: fc.constantFrom(FILE, DIRECTORY, SYMLINK),
      data: name,
      ino: fc.nat(2),
      nlink: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(fc.array(member, { maxLength: 20 }), (members) => {
        const { before, after } = around(members);
        expect(after).toEqual(before);
      }),
      { numRuns: 150 },
    );
  });
});
