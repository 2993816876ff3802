import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ExtractOptions, extractTree } from "../../../../src/desk/inspect/extraction.ts";
import { openPrivateDirectory } from "../../../../src/desk/inspect/private-directory.ts";
import { unpackTree } from "../../../../src/desk/inspect/unpack-tree.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { CHARACTER, DIRECTORY, type RawMember, rawCpio } from "../../../support/crafted-cpio.ts";
import { readCpio } from "../../../support/read-cpio.ts";
import { refusalOf } from "../../../support/refusal.ts";

const IS_ROOT = process.getuid?.() === 0;
const nodes: string[] = [];
const OPTIONS: ExtractOptions = {
  machine: {
    makeNode: (path, kind, major, minor, mode) => {
      writeFileSync(path, "");
      nodes.push(`${path.replace(/^.*\//, "")} ${kind} ${major}:${minor} ${mode.toString(8)}`);
    },
  },
  isRoot: IS_ROOT,
  special: false,
  members: [],
};

function extract(members: readonly RawMember[], target: string, options: Partial<ExtractOptions> = {}) {
  const { root } = unpackTree([readCpio(rawCpio(members)).members]);
  return extractTree(root, target, { ...OPTIONS, ...options });
}

const refusal = (action: () => unknown) => refusalOf(action).join("\n");

const modeOf = (path: string) => statSync(path).mode & 0o7777;

describe("the directory that an image is extracted to", () => {
  test("is created for its owner alone, regardless of umask and image", () => {
    const before = process.umask(0);
    const target = join(scratchDirectory(), "tree");
    extract(
      [
        { name: ".", mode: 0o040777 },
        { name: "f", mode: 0o100666 },
      ],
      target,
    );
    process.umask(before);
    expect(modeOf(target)).toBe(0o700);
    expect(modeOf(join(target, "f"))).toBe(0o666);
  });

  test("is refused if others can enter it, and taken if it is private", () => {
    const target = join(scratchDirectory(), "mine");
    mkdirSync(target);
    for (const mode of [0o755, 0o710, 0o701, 0o770]) {
      chmodSync(target, mode);
      expect(refusal(() => extract([{ name: "f" }], target))).toContain("other users can enter it");
    }
    expect(readdirSync(target)).toEqual([]);
    chmodSync(target, 0o700);
    expect(extract([{ name: "f" }], `${target}//`).written).toBe(1);
  });

  test("is no symbolic link, with a slash at its end or without", () => {
    const outside = scratchDirectory();
    mkdirSync(join(outside, "private"), { mode: 0o700 });
    symlinkSync("private", join(outside, "link"));
    symlinkSync("nowhere", join(outside, "dangling"));
    for (const name of ["link", "link/", "dangling"]) {
      expect(refusal(() => extract([{ name: "f" }], join(outside, name)))).toContain("cannot extract to");
    }
    expect(readdirSync(join(outside, "private"))).toEqual([]);
    expect(existsSync(join(outside, "nowhere"))).toBe(false);
  });

  test("stays the one that was opened if its name is exchanged meanwhile", () => {
    const outside = scratchDirectory();
    const [target, victim] = [join(outside, "tree"), join(outside, "victim")];
    mkdirSync(victim);
    const exchange: ExtractOptions["machine"] = {
      makeNode: (path) => {
        renameSync(target, join(outside, "moved"));
        symlinkSync(victim, target);
        writeFileSync(path, "");
      },
    };
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const members = [
      { name: "a", mode: CHARACTER, ...owner },
      { name: "b", data: "evil", ...owner },
    ];
    extract(members, target, { machine: exchange, isRoot: true, special: true });
    expect(readdirSync(victim)).toEqual([]);
    expect(readdirSync(join(outside, "moved")).sort()).toEqual(["a", "b"]);
    const held = openPrivateDirectory(join(outside, "second"));
    renameSync(join(outside, "second"), join(outside, "elsewhere"));
    writeFileSync(`${held.path}/f`, "x");
    held.close();
    expect(readdirSync(join(outside, "elsewhere"))).toEqual(["f"]);
  });

  test("is refused if it belongs to another user", () => {
    const theirs = join(scratchDirectory(), "theirs");
    mkdirSync(theirs, { mode: 0o700 });
    if (IS_ROOT) chownSync(theirs, 1000, 1000);
    const target = IS_ROOT ? theirs : "/root";
    const reason = IS_ROOT ? "it belongs to another user (uid 1000)" : "cannot extract to /root";
    expect(refusal(() => extract([{ name: "f" }], target))).toContain(reason);
  });

  test("is named as the person named it where the system refuses", () => {
    const target = join(scratchDirectory(), "tree");
    const members = [
      { name: "d", mode: DIRECTORY },
      { name: "d/f", data: "x" },
    ];
    const { root } = unpackTree([readCpio(rawCpio(members)).members]);
    const d = root.children.get("d");
    if (d?.kind === "directory")
      d.children.set("g/h", { kind: "symlink", target: "x", mode: 0, uid: 0, gid: 0, mtime: 0 });
    expect(refusal(() => extractTree(root, target, OPTIONS))).toBe(
      `cannot extract ${target}/d/g/h\n  ${target}/d/g/h: no such file or directory (ENOENT)`,
    );
  });
});

describe("what only root could make", () => {
  const members = [
    { name: "su", mode: 0o106755, data: "x" },
    { name: "null", mode: 0o020666, major: 1, minor: 3 },
    { name: "d", mode: 0o042777 },
  ];

  test("is left out and named, by root only until --special asks for it", () => {
    const [plain, special] = [join(scratchDirectory(), "x"), join(scratchDirectory(), "x")];
    nodes.length = 0;
    expect(extract(members, plain)).toEqual({
      written: 2,
      leftOut: IS_ROOT
        ? [
            "/null: device nodes are created only with --special",
            "/su: written without its set-uid and set-gid bits; --special keeps them",
          ]
        : ["/null: only root can create a device node"],
    });
    expect([nodes, modeOf(join(plain, "su")), modeOf(join(plain, "d"))]).toEqual([[], 0o755, 0o777]);
    expect(extract(members, special, { special: true }).written).toBe(IS_ROOT ? 3 : 2);
    const made = IS_ROOT ? [["null character 1:3 666"], 0o6755, 0o2777] : [[], 0o755, 0o777];
    expect([nodes, modeOf(join(special, "su")), modeOf(join(special, "d"))]).toEqual(made);
    expect(modeOf(special)).toBe(0o700);
  });

  test("of a hundred thousand nodes no endless list is printed", () => {
    const many = Array.from({ length: 300 }, (_, index) => ({ name: `n${index}`, mode: CHARACTER }));
    const { leftOut } = extract(many, join(scratchDirectory(), "x"));
    expect([leftOut.length, leftOut.at(-1)]).toEqual([101, "and 200 more of this kind"]);
  });
});
