import { deepEqual, equal } from "node:assert/strict";
import { type ContractCase, mountTmpfs, readText, refuses } from "./case.ts";

const MIB = 2 ** 20;

export const FILE_CASES: readonly ContractCase[] = [
  {
    name: "a written file has mode 0644, its size, and is truncated by the next write",
    check(machine, directory) {
      const path = `${directory}/file`;
      machine.writeFile(path, "a longer text");
      machine.writeFile(path, Uint8Array.of(104, 105));
      equal(readText(machine, path), "hi");
      const status = machine.stat(path);
      deepEqual([status?.kind, status?.mode, status?.size, status?.represents], ["file", 0o644, 2, null]);
      equal(status?.device, machine.stat(directory)?.device);
    },
  },
  {
    name: "what is missing is null to stat, ENOENT to the others, and a file is no directory",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, "");
      for (const path of [`${directory}/none`, `${directory}/none/deeper`, `${directory}/file/below`]) {
        equal(machine.stat(path), null);
        equal(machine.lstat(path), null);
      }
      refuses("ENOENT", () => machine.readFile(`${directory}/none`));
      refuses("ENOENT", () => machine.writeFile(`${directory}/none/file`, ""));
      refuses("ENOENT", () => machine.listDirectory(`${directory}/none`));
      refuses("ENOENT", () => machine.openReader(`${directory}/none`));
      refuses("ENOENT", () => machine.removeFile(`${directory}/none`));
      refuses("ENOENT", () => machine.readFile(""));
      refuses("ENOTDIR", () => machine.readFile(`${directory}/file/below`));
      refuses("ENOTDIR", () => machine.writeFile(`${directory}/file/below`, ""));
      refuses("ENOTDIR", () => machine.listDirectory(`${directory}/file`));
      refuses("EINVAL", () => machine.readFile(`${directory}/nul\0byte`));
    },
  },
  {
    name: "a directory is no file",
    check(machine, directory) {
      refuses("EISDIR", () => machine.readFile(directory));
      refuses("EISDIR", () => machine.writeFile(directory, ""));
      refuses("EISDIR", () => machine.openReader(directory));
      refuses("EISDIR", () => machine.removeFile(directory));
    },
  },
  {
    name: "/dev/null takes everything, and a file of /proc nothing",
    check(machine) {
      machine.writeFile("/dev/null", "gone");
      equal(readText(machine, "/dev/null"), "");
      refuses("EIO", () => machine.writeFile("/proc/filesystems", "text"));
    },
  },
  {
    name: "a directory lists its names sorted by their bytes",
    check(machine, directory) {
      for (const name of ["b", "a", "B", "ä", "\u{1f35e}", "｡"]) machine.writeFile(`${directory}/${name}`, "");
      deepEqual(machine.listDirectory(directory), ["B", "a", "b", "ä", "｡", "\u{1f35e}"]);
    },
  },
  {
    name: "makeDirectory makes the parents, leaves what is there, and does not replace a file",
    check(machine, directory) {
      machine.makeDirectory(`${directory}/a/b`, 0o1777);
      deepEqual([machine.stat(`${directory}/a`)?.mode, machine.stat(`${directory}/a/b`)?.mode], [0o755, 0o1777]);
      machine.makeDirectory(`${directory}/a/b`, 0o700);
      equal(machine.stat(`${directory}/a/b`)?.mode, 0o1777);
      machine.writeFile(`${directory}/file`, "");
      refuses("EEXIST", () => machine.makeDirectory(`${directory}/file`));
      refuses("ENOTDIR", () => machine.makeDirectory(`${directory}/file/below`));
    },
  },
  {
    name: "symbolic links are followed from where they lie or from the root, and a loop of them ends",
    check(machine, directory) {
      machine.makeDirectory(`${directory}/a/b`);
      machine.writeFile(`${directory}/a/file`, "found");
      machine.makeSymlink("../file", `${directory}/a/b/relative`);
      machine.makeSymlink(`${directory}/a`, `${directory}/absolute`);
      equal(readText(machine, `${directory}/a/b/relative`), "found");
      equal(readText(machine, `${directory}/absolute/b/../file`), "found");
      deepEqual(
        [machine.lstat(`${directory}/absolute`)?.kind, machine.stat(`${directory}/absolute`)?.kind],
        ["symlink", "directory"],
      );
      equal(machine.lstat(`${directory}/absolute/`)?.kind, "directory");
      equal(machine.readLink(`${directory}/absolute`), `${directory}/a`);
      refuses("EINVAL", () => machine.readLink(`${directory}/a`));
      refuses("EEXIST", () => machine.makeSymlink("elsewhere", `${directory}/absolute`));
      machine.makeSymlink("loop", `${directory}/loop`);
      refuses("ELOOP", () => machine.readFile(`${directory}/loop`));
      machine.makeSymlink("nowhere", `${directory}/dangling`);
      equal(machine.stat(`${directory}/dangling`), null);
    },
  },
  {
    name: "writing goes through a symbolic link, removing does not",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, "old");
      machine.makeSymlink("file", `${directory}/link`);
      machine.writeFile(`${directory}/link`, "new");
      equal(readText(machine, `${directory}/file`), "new");
      machine.removeFile(`${directory}/link`);
      deepEqual(machine.listDirectory(directory), ["file"]);
    },
  },
  {
    name: "a file is wiped in its place and gone, also for who has it open under another name",
    check(machine, directory) {
      machine.writeFile(`${directory}/key`, "secret");
      machine.makeSymlink("key", `${directory}/link`);
      machine.wipeFile(`${directory}/link`);
      deepEqual(machine.listDirectory(directory), ["key"]);
      deepEqual([...machine.readFile(`${directory}/key`)], [0, 0, 0, 0, 0, 0]);
      machine.wipeFile(`${directory}/key`);
      deepEqual(machine.listDirectory(directory), []);
      refuses("ENOENT", () => machine.wipeFile(`${directory}/key`));
      refuses("EISDIR", () => machine.wipeFile(directory));
    },
  },
  {
    name: "a device node says what it stands for, and opening one without a device is ENXIO",
    check(machine, directory) {
      machine.makeNode(`${directory}/block`, "block", 8, 250, 0o660);
      machine.makeNode(`${directory}/character`, "character", 1, 300, 0o600);
      const block = machine.stat(`${directory}/block`);
      const character = machine.stat(`${directory}/character`);
      deepEqual([block?.kind, block?.represents, block?.mode], ["block", "8:250", 0o660]);
      deepEqual([character?.kind, character?.represents, character?.mode], ["character", "1:300", 0o600]);
      refuses("ENXIO", () => machine.openReader(`${directory}/block`));
      refuses("EEXIST", () => machine.makeNode(`${directory}/block`, "block", 1, 1, 0o600));
    },
  },
  {
    name: "only an empty directory is removed by removeDirectory",
    check(machine, directory) {
      machine.makeDirectory(`${directory}/a/b`);
      machine.writeFile(`${directory}/file`, "");
      refuses("ENOTEMPTY", () => machine.removeDirectory(`${directory}/a`));
      refuses("ENOTDIR", () => machine.removeDirectory(`${directory}/file`));
      refuses("ENOENT", () => machine.removeDirectory(`${directory}/none`));
      machine.removeDirectory(`${directory}/a/b`);
      machine.removeDirectory(`${directory}/a`);
      deepEqual(machine.listDirectory(directory), ["file"]);
    },
  },
  {
    name: "a reader reads anywhere, less at the end, and nothing beyond it",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, "0123456789");
      const reader = machine.openReader(`${directory}/file`);
      const read = (offset: number, length: number) => Buffer.from(reader.read(offset, length)).toString();
      deepEqual(
        [reader.size, read(2, 3), read(8, 5), read(10, 1), read(99, 1), read(0, 0)],
        [10, "234", "89", "", "", ""],
      );
      reader.close();
    },
  },
  {
    name: "statFilesystem counts what is used of a tmpfs",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/small`, "size=2M");
      machine.writeFile(`${directory}/small/file`, new Uint8Array(MIB));
      const { magic, totalBytes, freeBytes } = machine.statFilesystem(`${directory}/small`);
      deepEqual([magic, totalBytes, freeBytes], [0x01021994, 2 * MIB, MIB]);
      equal(machine.statFilesystem("/proc").magic, 0x9fa0);
    },
  },
];
