import { describe, expect, test } from "bun:test";
import { lstatSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Content, contentOfBytes } from "../../../../src/desk/archive/content.ts";
import { measureCpio, writeCpio } from "../../../../src/desk/archive/cpio.ts";
import type { ImageEntry } from "../../../../src/desk/archive/tree.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run, runScript } from "../../../support/command.ts";
import { readCpio } from "../../../support/read-cpio.ts";

function pack(entries: readonly ImageEntry[]): Buffer {
  return Buffer.concat([...writeCpio(entries)]);
}

const shared = contentOfBytes("one file, two names");

const ENTRIES: readonly ImageEntry[] = [
  { kind: "directory", path: "/bin", mode: 0o755 },
  { kind: "file", path: "/bin/tool", mode: 0o4755, content: contentOfBytes("#!/bin/sh\n") },
  { kind: "directory", path: "/dev", mode: 0o755 },
  { kind: "block", path: "/dev/big", mode: 0o660, major: 259, minor: 0xabcde },
  { kind: "character", path: "/dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "file", path: "/empty", mode: 0o644, content: contentOfBytes("") },
  { kind: "fifo", path: "/fifo", mode: 0o600 },
  { kind: "symlink", path: "/link", target: "bin/tööl" },
  { kind: "file", path: "/one", mode: 0o640, content: shared },
  { kind: "directory", path: "/tmp", mode: 0o1777 },
  { kind: "file", path: "/two", mode: 0o640, content: shared },
];

test("cpio(1) unpacks what was written: kinds, modes, contents, devices, hard links", async () => {
  const directory = scratchDirectory();
  const archive = join(directory, "image.cpio");
  writeFileSync(archive, pack(ENTRIES));
  await runScript('cd "$1"; mkdir out; cd out; cpio --quiet -idm < ../image.cpio', [directory]);
  const at = (path: string) => join(directory, "out", path);

  expect(lstatSync(at("bin/tool")).mode & 0o7777).toBe(0o4755);
  expect(readFileSync(at("bin/tool"), "utf8")).toBe("#!/bin/sh\n");
  expect(lstatSync(at("tmp")).mode & 0o7777).toBe(0o1777);
  expect(lstatSync(at("empty")).size).toBe(0);
  expect(lstatSync(at("fifo")).isFIFO()).toBe(true);
  expect(readlinkSync(at("link"))).toBe("bin/tööl");
  expect(readFileSync(at("one"), "utf8")).toBe("one file, two names");
  expect(lstatSync(at("one")).ino).toBe(lstatSync(at("two")).ino);
  expect(lstatSync(at("one")).nlink).toBe(2);
  expect(lstatSync(at("one")).mtimeMs).toBe(0);
  // Device nodes need root to be unpacked; the list shows them to everybody.
  const list = await run(["cpio", "--quiet", "-itv", "-F", archive]);
  expect(list).toMatch(/^crw------- .* 5, +1 .* dev\/console$/m);
  expect(list).toMatch(/^brw-rw---- .* 259, ?703710 .* dev\/big$/m);
});

test("the same entries give the same bytes, as many as measured, in blocks of 512", () => {
  const bytes = pack(ENTRIES);
  expect(pack(ENTRIES).equals(bytes)).toBe(true);
  expect(measureCpio(ENTRIES)).toBe(bytes.length);
  expect(bytes.length % 512).toBe(0);
});

test("our own reader finds it all again", () => {
  const { members, end } = readCpio(pack(ENTRIES));
  expect(end).toBe(measureCpio(ENTRIES));
  expect(members.map(({ name }) => `/${name}`)).toEqual(ENTRIES.map(({ path }) => path));
  // Inodes in sequence; the two names of one file share theirs and only the last has the data.
  expect(members.map(({ ino }) => ino)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9]);
  const names = members.filter(({ ino }) => ino === 9);
  expect(names.map(({ nlink, data }) => [nlink, data.length])).toEqual([
    [2, 0],
    [2, 19],
  ]);
  const big = members.find(({ name }) => name === "dev/big");
  expect([big?.major, big?.minor]).toEqual([259, 0xabcde]);
  expect(members.every(({ uid, gid, mtime }) => uid === 0 && gid === 0 && mtime === 0)).toBe(true);
});

describe("what the format or the kernel cannot hold is refused before the first byte", () => {
  const huge: Content = { size: 2 ** 32, chunks: () => [] };
  const cases: readonly (readonly [string, ImageEntry])[] = [
    ["smaller than 4 GiB", { kind: "file", path: "/huge", mode: 0o644, content: huge }],
    ["longer than 4095 bytes", { kind: "fifo", path: `${"/abcdefg".repeat(512)}h`, mode: 0o644 }],
    ["longer than 255 bytes", { kind: "fifo", path: `/${"ä".repeat(128)}`, mode: 0o644 }],
    ["target of the symlink is longer", { kind: "symlink", path: "/l", target: "x".repeat(4096) }],
    ["target of the symlink is empty", { kind: "symlink", path: "/l", target: "" }],
    ["no device number 4096:0", { kind: "block", path: "/d", mode: 0o600, major: 4096, minor: 0 }],
    ["no device number 1:1048576", { kind: "block", path: "/d", mode: 0o600, major: 1, minor: 0x100000 }],
  ];
  test.each(cases)("%s", (message, entry) => {
    expect(() => writeCpio([entry]).next()).toThrow(message);
  });
});

test("the largest that is allowed is allowed", () => {
  const just: Content = { size: 2 ** 32 - 1, chunks: () => [] };
  const path = `/${"a".repeat(255)}`.repeat(16).slice(0, 4096);
  const target = "x".repeat(4095);
  expect(measureCpio([{ kind: "file", path: "/f", mode: 0o644, content: just }])).toBeGreaterThan(2 ** 32);
  expect(readCpio(pack([{ kind: "symlink", path, target }])).members[0]?.data.length).toBe(4095);
});
