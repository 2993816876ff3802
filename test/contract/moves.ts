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
