import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { contentOfBytes } from "../../../../src/desk/archive/content.ts";
import { type ImageEntry, type ImageTree, putEntry } from "../../../../src/desk/archive/tree.ts";
import { refuseBrokenCheckers } from "../../../../src/desk/program/checkers.ts";
import { EM } from "../../../../src/desk/program/elf.ts";
import { addBusybox, addProgram } from "../../../../src/desk/program/program.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

const MACHINE = process.arch === "arm64" ? EM.AARCH64 : EM.X86_64;
const DYNAMIC = "/bin/true";

function file(path: string, data: Uint8Array | string, mode = 0o755): ImageEntry {
  return { kind: "file", path, mode, content: contentOfBytes(data) };
}

function treeOf(...entries: readonly ImageEntry[]): ImageTree {
  const tree: ImageTree = new Map();
  for (const entry of entries) putEntry(tree, entry);
  return tree;
}

describe("a checker that can be started", () => {
  test("is a program with its libraries, also by a link", () => {
    const tree = treeOf({ kind: "symlink", path: "/sbin/fsck.ext3", target: "fsck.ext4" });
    addProgram(tree, DYNAMIC, "/sbin/fsck.ext4", MACHINE);
    expect(() => refuseBrokenCheckers(tree)).not.toThrow();
  });

  test("is a script whose interpreter is there; /bin/sh is BusyBox", () => {
    const tree = treeOf(file("/sbin/fsck.xfs", "#!/bin/sh -f\nexit 0\n"));
    expect(() => refuseBrokenCheckers(tree)).toThrow("/sbin/fsck.xfs cannot be started: the image lacks /bin/sh");
    addBusybox(tree, BUSYBOX, MACHINE);
    expect(() => refuseBrokenCheckers(tree)).not.toThrow();
  });

  test("is a static program", () => {
    expect(() => refuseBrokenCheckers(treeOf(file("/usr/sbin/fsck.f2fs", readFileSync(BUSYBOX))))).not.toThrow();
  });
});

describe("a checker is refused", () => {
  test.each([
    ["a link to nothing", { kind: "symlink", path: "/sbin/fsck.ext4", target: "e2fsck" } as const, "it is a link to"],
    ["not executable", file("/sbin/fsck.vfat", "#!/bin/sh\n", 0o644), "it is not executable"],
    ["no program", file("/usr/bin/fsck.vfat", "junk"), "neither a script nor an ELF file"],
    ["empty", file("/bin/fsck.vfat", ""), "neither a script nor an ELF file"],
    ["a script of another interpreter", file("/sbin/fsck.x", "#! /usr/bin/python3\n"), "lacks /usr/bin/python3"],
    ["a program without its loader", file("/sbin/fsck.ext4", readFileSync(DYNAMIC)), "the image lacks /lib"],
  ])("that is %s", (_, entry, reason) => {
    expect(() => refuseBrokenCheckers(treeOf(entry))).toThrow(reason);
  });

  test("that is a program without one of its libraries", () => {
    const tree: ImageTree = new Map();
    addProgram(tree, DYNAMIC, "/sbin/fsck.ext4", MACHINE);
    for (const path of tree.keys()) if (path.endsWith("/libc.so.6")) tree.delete(path);
    expect(() => refuseBrokenCheckers(tree)).toThrow("the image lacks libc.so.6");
  });

  test("but another file of such a name elsewhere is no checker", () => {
    expect(() =>
      refuseBrokenCheckers(treeOf(file("/etc/fsck.ext4", "junk"), file("/sbin/fsck.ext4.bak", ""))),
    ).not.toThrow();
  });
});
