import { deepEqual, equal } from "node:assert/strict";
import { type ContractCase, listMounts, mountTmpfs, readText, refuses } from "./case.ts";

/** What happens to mounts once they are there: moved, covered, left, unmounted. */
export const MOVE_CASES: readonly ContractCase[] = [
  {
    name: "a moved mount takes along what is mounted in it",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      mountTmpfs(machine, `${directory}/a/inner`);
      machine.writeFile(`${directory}/a/inner/file`, "moved");
      machine.makeDirectory(`${directory}/b/c`);
      machine.moveMount(`${directory}/a`, `${directory}/b/c`);
      equal(readText(machine, `${directory}/b/c/inner/file`), "moved");
      deepEqual(machine.listDirectory(`${directory}/a`), []);
      deepEqual(listMounts(machine).slice(-2), [`${directory}/b/c`, `${directory}/b/c/inner`]);
      mountTmpfs(machine, `${directory}/new`);
      machine.moveMount(`${directory}/b/c`, `${directory}/new`);
      equal(readText(machine, `${directory}/new/inner/file`), "moved");
      // In the order in which they were made, wherever they are now.
      deepEqual(listMounts(machine).slice(-3), [`${directory}/new`, `${directory}/new/inner`, `${directory}/new`]);
    },
  },
  {
    name: "a mount cannot be moved below itself, nor something that is none, nor over a file",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      machine.makeDirectory(`${directory}/a/inner`);
      mountTmpfs(machine, `${directory}/a/other`);
      machine.makeDirectory(`${directory}/a/other/deep`);
      machine.writeFile(`${directory}/file`, "");
      refuses("ELOOP", () => machine.moveMount(`${directory}/a`, `${directory}/a/inner`));
      refuses("ELOOP", () => machine.moveMount(`${directory}/a`, `${directory}/a/other/deep`));
      refuses("EINVAL", () => machine.moveMount(`${directory}/a/inner`, directory));
      refuses("EINVAL", () => machine.moveMount(`${directory}/a`, `${directory}/file`));
      refuses("ENOENT", () => machine.moveMount(`${directory}/a`, `${directory}/none`));
      refuses("ENOENT", () => machine.moveMount(`${directory}/none`, directory));
      refuses("EINVAL", () => machine.moveMount("/", directory));
    },
  },
  {
    name: "no mount is moved through a symbolic link, be it the last part of the path or not",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      machine.makeDirectory(`${directory}/real/deep`);
      machine.makeSymlink("real", `${directory}/link`);
      machine.makeSymlink(`${directory}/real/deep`, `${directory}/absolute`);
      for (const target of ["link", "link/deep", "absolute"])
        refuses("ELOOP", () => machine.moveMount(`${directory}/a`, `${directory}/${target}`));
      machine.moveMount(`${directory}/a`, `${directory}/real/deep`);
      equal(listMounts(machine).at(-1), `${directory}/real/deep`);
    },
  },
  {
    name: "a file that is open for writing stays the same when its path leads elsewhere, and a symbolic link is not opened",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/run`);
      mountTmpfs(machine, `${directory}/other`);
      machine.writeFile(`${directory}/run/file`, "a longer text");
      const [writer, created] = ["file", "new"].map((name) => machine.openWriter(`${directory}/run/${name}`));
      equal(readText(machine, `${directory}/run/file`), "a longer text");
      deepEqual([machine.stat(`${directory}/run/new`)?.mode, machine.stat(`${directory}/run/new`)?.size], [0o644, 0]);
      machine.makeDirectory(`${directory}/moved`);
      machine.moveMount(`${directory}/run`, `${directory}/moved`);
      machine.moveMount(`${directory}/other`, `${directory}/run`);
      writer?.replace("short");
      created?.replace(Uint8Array.of(104));
      created?.append(Uint8Array.of(105));
      writer?.close();
      created?.close();
      deepEqual(machine.listDirectory(`${directory}/run`), []);
      equal(readText(machine, `${directory}/moved/file`), "short");
      equal(readText(machine, `${directory}/moved/new`), "hi");
      machine.makeSymlink("file", `${directory}/moved/link`);
      refuses("ELOOP", () => machine.openWriter(`${directory}/moved/link`));
      refuses("EISDIR", () => machine.openWriter(`${directory}/moved`));
      refuses("ENOENT", () => machine.openWriter(`${directory}/none/file`));
    },
  },
  {
    name: "what is in use is not unmounted, unless lazily",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      mountTmpfs(machine, `${directory}/a/inner`);
      machine.writeFile(`${directory}/a/file`, "open");
      refuses("EBUSY", () => machine.unmount(`${directory}/a`));
      machine.unmount(`${directory}/a/inner`);
      const reader = machine.openReader(`${directory}/a/file`);
      refuses("EBUSY", () => machine.unmount(`${directory}/a`));
      reader.close();
      machine.unmount(`${directory}/a`);
      refuses("EINVAL", () => machine.unmount(`${directory}/a`));
      refuses("ENOENT", () => machine.unmount(`${directory}/none`));
      mountTmpfs(machine, `${directory}/a`);
      mountTmpfs(machine, `${directory}/a/inner`);
      machine.unmount(`${directory}/a`, true);
      deepEqual(machine.listDirectory(`${directory}/a`), []);
    },
  },
  {
    name: "of two mounts in one place the newer is seen, and goes first",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      machine.writeFile(`${directory}/a/first`, "");
      mountTmpfs(machine, `${directory}/a`);
      machine.writeFile(`${directory}/a/second`, "");
      deepEqual(machine.listDirectory(`${directory}/a`), ["second"]);
      machine.unmount(`${directory}/a`);
      deepEqual(machine.listDirectory(`${directory}/a`), ["first"]);
    },
  },
  {
    name: "`..` leads out of a mount, and a mount point cannot be removed",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a/b`);
      machine.writeFile(`${directory}/a/file`, "out");
      equal(readText(machine, `${directory}/a/b/../file`), "out");
      equal(readText(machine, `${directory}/../..${directory}/a/file`), "out");
      machine.writeFile(`${directory}/a/b/inside`, "");
      refuses("EBUSY", () => machine.removeDirectory(`${directory}/a/b`));
      refuses("EISDIR", () => machine.removeFile(`${directory}/a/b`));
      machine.mount({
        source: "none",
        target: `${directory}/a/b`,
        type: "tmpfs",
        flags: ["remount", "ro"],
        options: "",
      });
      refuses("EBUSY", () => machine.removeDirectory(`${directory}/a/b`));
      machine.makeDirectory(`${directory}/same`);
      machine.mount({ source: `${directory}/a`, target: `${directory}/same`, type: "", flags: ["bind"], options: "" });
      refuses("EBUSY", () => machine.removeDirectory(`${directory}/same/b`));
      machine.unmount(`${directory}/same`);
      refuses("ENOTEMPTY", () => machine.removeDirectory(`${directory}/a`));
    },
  },
];
