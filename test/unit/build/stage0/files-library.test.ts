import { afterAll, beforeAll, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { HOST, linkFilesLibrary } from "../../../../build/stage0/link.ts";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import { type FileCalls, openFileCalls } from "../../../../src/machine/linux/trees/many-files.ts";
import { encodeName } from "../../../../src/machine/linux/trees/names.ts";
import { statusOf } from "../../../../src/machine/linux/trees/status.ts";
import type { EntryStatus } from "../../../../src/machine/trees.ts";
import { isErrno } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";

const [one, other, made] = [scratchDirectory(), scratchDirectory(), scratchDirectory()];
const fds = [one, other, made].map((directory) => fs.openSync(directory, fs.constants.O_DIRECTORY));
const [first = 0, second = 0, third = 0] = fds;
let calls: FileCalls;

beforeAll(() => {
  const library = join(scratchDirectory(), "files.so");
  fs.writeFileSync(library, linkFilesLibrary(HOST));
  calls = openFileCalls(library);
});

afterAll(() => {
  for (const fd of fds) fs.closeSync(fd);
});

const EQUAL = new Date(1_000_000);

/** Writes a file with the same time in both directories, and changes one of them. */
function pair(name: string, change: (path: string) => void, text = "x".repeat(5003)): string {
  for (const directory of [one, other]) fs.writeFileSync(join(directory, name), text);
  change(join(other, name));
  for (const directory of [one, other]) fs.lutimesSync(join(directory, name), EQUAL, EQUAL);
  return name;
}

function setAttribute(directory: string, file: string, name: string, value: string): void {
  const tree = createLinuxMachine().openTree(directory, "as mounted");
  tree.setAttribute(file, name, Buffer.from(value));
  tree.close();
}

test("files are the same if content, owner, mode, time and extended attributes are, and have one name", () => {
  const same = [
    pair("same", () => undefined),
    pair("empty", () => undefined, ""),
    // A character for each byte, as a tree has names.
    Buffer.from(pair("a\u00fe byte", () => undefined)).toString("latin1"),
    pair("attributes", () => undefined),
    pair("copied up", () => undefined),
  ];
  const different = [
    pair("last byte", (path) => fs.writeFileSync(path, `${"x".repeat(5002)}y`)),
    pair("first byte", (path) => fs.writeFileSync(path, `y${"x".repeat(5002)}`)),
    pair("shorter", (path) => fs.truncateSync(path, 5000)),
    pair("mode", (path) => fs.chmodSync(path, 0o600)),
    pair("owner", (path) => fs.chownSync(path, 1, 0)),
    pair("linked", (path) => fs.linkSync(path, `${path} too`)),
    pair("symlink", (path) => {
      fs.rmSync(path);
      fs.symlinkSync("same", path);
    }),
    pair("large", () => undefined, "x".repeat((1 << 20) + 1)),
    pair("other value", () => undefined),
    pair("one more attribute", () => undefined),
    pair("whiteout", () => undefined, ""),
  ];
  for (const directory of [one, other]) {
    setAttribute(directory, "attributes", "user.one", "1");
    setAttribute(directory, "attributes", "user.two", "2");
    setAttribute(directory, "other value", "user.one", directory === one ? "1" : "2");
    setAttribute(directory, "whiteout", "trusted.overlay.whiteout", "y");
  }
  setAttribute(one, "copied up", "trusted.overlay.origin", "0");
  setAttribute(other, "one more attribute", "user.one", "1");
  fs.writeFileSync(join(one, "time"), "");
  fs.writeFileSync(join(other, "time"), "");
  fs.utimesSync(join(other, "time"), EQUAL, EQUAL);
  fs.mkdirSync(join(one, "directory"));
  fs.writeFileSync(join(one, "missing"), "");
  const names = [...different, "time", "directory", "missing"];
  const compare = () => {
    const difference = calls.compareDirectories(first, second);
    return { ...difference, names: difference?.names.toSorted() };
  };
  expect(compare()).toEqual({ names: names.toSorted(), hasMore: true });
  for (const name of names) fs.rmSync(join(one, name), { recursive: true });
  expect(compare()).toEqual({ names: [], hasMore: true });
  for (const name of fs.readdirSync(other, "latin1")) if (!same.includes(name)) fs.rmSync(join(other, name));
  expect(compare()).toEqual({ names: [], hasMore: false });
  // Names that have no room are left to the caller.
  for (let count = 0; count < 300; count++) fs.mkdirSync(join(one, `${count}`.padStart(255, "-")));
  expect(calls.compareDirectories(first, second)).toBeNull();
  expect(calls.compareDirectories(first, -1)).toBeNull();
});

const place = (directory: number, name: string) => ({ directory, name: encodeName(name) });

function copy(name: string, to: string, change: Partial<EntryStatus> = {}): boolean | null {
  const status = statusOf(place(first, name), name);
  if (status === null) throw new Error(`${name} is missing`);
  return calls.copyFile(place(first, name), place(third, to), { ...status, ...change }, to);
}

test("an entry is described as by statx(2)", () => {
  fs.mkdirSync(join(made, "d"));
  fs.writeFileSync(join(made, "f"), "text");
  fs.symlinkSync("f", join(made, "l"));
  fs.chownSync(join(made, "f"), 7, 0xffff_fffe);
  fs.chmodSync(join(made, "f"), 0o4751);
  fs.utimesSync(join(made, "f"), EQUAL, -1.5);
  setAttribute(made, "d", "user.one", "1");
  for (const name of ["d", "f", "l"]) {
    const status = statusOf(place(third, name), name);
    expect([name, calls.describe(place(third, name))]).toEqual([
      name,
      { status, hasAttributes: name === "d" } as never,
    ]);
  }
  fds.push(fs.openSync("/dev", "r"));
  const device = calls.describe(place(fds.at(-1) ?? 0, "null"));
  expect(device).toMatchObject({ status: { kind: "character", represents: "1:3" } });
  expect([calls.describe(place(third, "none")), calls.describe(place(third, "f/x"))]).toEqual(["ENOENT", "ENOTDIR"]);
  // Nanoseconds of that time need more than 64 bits.
  fs.utimesSync(join(made, "f"), EQUAL, 10_000_000_000);
  expect(calls.describe(place(third, "f"))).toBeNull();
  expect(calls.describe(place(third, "n".repeat(256)))).toBeNull();
});

test("a file is copied with what it has, and left to the caller if it is no simple one", () => {
  const path = join(one, "plain");
  fs.writeFileSync(path, "text".repeat(3000));
  fs.chownSync(path, 7, 8);
  fs.chmodSync(path, 0o4751);
  fs.utimesSync(path, EQUAL, 1.5);
  expect(copy("plain", "copy")).toBe(true);
  const { uid, gid, mode, mtimeMs, size } = fs.statSync(join(made, "copy"));
  expect([uid, gid, mode & 0o7777, mtimeMs, size]).toEqual([7, 8, 0o4751, 1500, 12_000]);
  expect(fs.readFileSync(join(made, "copy"), "utf8")).toBe("text".repeat(3000));
  fs.writeFileSync(join(one, "holes"), "");
  fs.truncateSync(join(one, "holes"), 50_000);
  fs.symlinkSync("plain", join(one, "link"));
  expect([copy("holes", "no"), copy("link", "no")]).toEqual([null, null]);
  // It is another file than the one that was seen, or has changed since.
  const { changedNs = 0n } = statusOf(place(first, "plain"), "plain") ?? {};
  for (const change of [{ size: 11_999 }, { inode: 1n }, { changedNs: changedNs + 1n }, { changedNs: 0n }]) {
    expect(copy("plain", "no", change)).toBeNull();
  }
  expect(fs.existsSync(join(made, "no"))).toBe(false);
  try {
    copy("plain", "copy");
    throw new Error("copied over a file");
  } catch (error) {
    expect(isErrno(error, "EEXIST")).toBe(true);
  }
});
