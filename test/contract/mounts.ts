import { deepEqual, equal, ok } from "node:assert/strict";
import { type ContractCase, FIXTURES, listMounts, mountTmpfs, readText, refuses } from "./case.ts";

const NONE = { source: "none", flags: [], options: "" } as const;

export const MOUNT_CASES: readonly ContractCase[] = [
  {
    name: "a mount hides what is below it until it is unmounted, and is in mountinfo while it is there",
    check(machine, directory) {
      machine.makeDirectory(`${directory}/a`);
      machine.writeFile(`${directory}/a/below`, "");
      const before = listMounts(machine);
      mountTmpfs(machine, `${directory}/a`, "mode=0750");
      deepEqual(machine.listDirectory(`${directory}/a`), []);
      equal(machine.stat(`${directory}/a`)?.mode, 0o750);
      ok(machine.stat(`${directory}/a`)?.device !== machine.stat(directory)?.device);
      deepEqual(listMounts(machine), [...before, `${directory}/a`]);
      machine.unmount(`${directory}/a`);
      deepEqual(machine.listDirectory(`${directory}/a`), ["below"]);
      deepEqual(listMounts(machine), before);
    },
  },
  {
    name: "a tmpfs without options has mode 1777",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      equal(machine.stat(`${directory}/a`)?.mode, 0o1777);
    },
  },
  {
    name: "mountinfo escapes spaces, tabs, newlines and backslashes",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a b\\c`);
      equal(listMounts(machine).at(-1), `${directory}/a\\040b\\134c`);
    },
  },
  {
    name: "a mount that cannot be is refused with its reason",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, "");
      machine.makeDirectory(`${directory}/a`);
      const target = `${directory}/a`;
      const tmpfs = { ...NONE, type: "tmpfs" };
      refuses("ENOENT", () => machine.mount({ ...tmpfs, target: `${directory}/none` }));
      refuses("ENOTDIR", () => machine.mount({ ...tmpfs, target: `${directory}/file` }));
      refuses("ENODEV", () => machine.mount({ ...NONE, type: "nosuchfs", target }));
      refuses("ENODEV", () => machine.mount({ ...NONE, type: "nosuchfs", source: "/dev/none", target }));
      refuses("EINVAL", () => machine.mount({ ...tmpfs, target, options: "nosuchoption" }));
      refuses("EINVAL", () => machine.mount({ ...tmpfs, target, options: "size=much" }));
      refuses("ENOENT", () => machine.mount({ ...NONE, type: "ext4", source: "/dev/none", target }));
      refuses("ENOTBLK", () => machine.mount({ ...NONE, type: "ext4", source: `${directory}/file`, target }));
      refuses("ENOTBLK", () => machine.mount({ ...NONE, type: "ext4", source: "/dev/null", target }));
      machine.makeNode(`${directory}/node`, "block", 8, 250, 0o600);
      refuses("ENXIO", () => machine.mount({ ...NONE, type: "ext4", source: `${directory}/node`, target }));
    },
  },
  {
    name: "nothing can be changed on a read-only mount, and what is there stays no error to makeDirectory",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/a`);
      machine.makeDirectory(`${directory}/a/inner`);
      machine.writeFile(`${directory}/a/file`, "kept");
      machine.mount({ ...NONE, type: "tmpfs", target: `${directory}/a`, flags: ["remount", "ro"] });
      refuses("EROFS", () => machine.writeFile(`${directory}/a/file`, ""));
      refuses("EROFS", () => machine.writeFile(`${directory}/a/new`, ""));
      refuses("EROFS", () => machine.makeDirectory(`${directory}/a/new`));
      refuses("EROFS", () => machine.makeSymlink("x", `${directory}/a/new`));
      refuses("EROFS", () => machine.makeNode(`${directory}/a/new`, "block", 8, 0, 0o600));
      refuses("EROFS", () => machine.removeFile(`${directory}/a/file`));
      refuses("EROFS", () => machine.removeDirectory(`${directory}/a/inner`));
      machine.makeDirectory(`${directory}/a/inner`);
      equal(readText(machine, `${directory}/a/file`), "kept");
      machine.mount({ ...NONE, type: "tmpfs", target: `${directory}/a`, flags: ["remount"] });
      machine.writeFile(`${directory}/a/file`, "changed");
      refuses("EINVAL", () =>
        machine.mount({ ...NONE, type: "tmpfs", target: `${directory}/a/inner`, flags: ["remount", "ro"] }),
      );
    },
  },
  {
    name: "a bind shows the same files, a file covers a file only, and remounting it read-only leaves the other writable",
    check(machine, directory) {
      machine.makeDirectory(`${directory}/a`);
      machine.makeDirectory(`${directory}/b`);
      machine.writeFile(`${directory}/a/file`, "one");
      machine.writeFile(`${directory}/other`, "other");
      const bind = { type: "", flags: ["bind"], options: "" } as const;
      machine.mount({ ...bind, source: `${directory}/a`, target: `${directory}/b` });
      machine.writeFile(`${directory}/b/file`, "two");
      equal(readText(machine, `${directory}/a/file`), "two");
      equal(machine.stat(`${directory}/b`)?.device, machine.stat(`${directory}/a`)?.device);
      machine.mount({ ...bind, source: `${directory}/b`, target: `${directory}/b`, flags: ["bind", "remount", "ro"] });
      refuses("EROFS", () => machine.writeFile(`${directory}/b/file`, ""));
      machine.writeFile(`${directory}/a/file`, "three");
      refuses("ENOTDIR", () => machine.mount({ ...bind, source: `${directory}/a`, target: `${directory}/other` }));
      machine.mount({ ...bind, source: `${directory}/other`, target: `${directory}/a/file` });
      equal(readText(machine, `${directory}/a/file`), "other");
      refuses("EBUSY", () => machine.removeFile(`${directory}/a/file`));
      refuses("ENOTDIR", () => machine.removeDirectory(`${directory}/a/file`));
      refuses("ENOENT", () => machine.mount({ ...bind, source: `${directory}/none`, target: `${directory}/b` }));
    },
  },
  {
    name: "the same filesystem is not mounted twice in one place, but bound twice it may be",
    check(machine, directory) {
      const sysfs = { ...NONE, type: "sysfs", target: `${directory}/a` };
      machine.makeDirectory(`${directory}/a`);
      machine.mount(sysfs);
      refuses("EBUSY", () => machine.mount(sysfs));
      const bind = {
        type: "",
        flags: ["bind"],
        options: "",
        source: `${directory}/a`,
        target: `${directory}/a`,
      } as const;
      machine.mount(bind);
      machine.mount(bind);
      equal(listMounts(machine).filter((target) => target === `${directory}/a`).length, 3);
    },
  },
  {
    name: "/proc/filesystems tells what needs a device from what needs none",
    check(machine) {
      const lines = readText(machine, "/proc/filesystems").split("\n");
      ok(lines.includes("nodev\ttmpfs") && lines.includes("\text4"));
      ok(!lines.includes("\tsquashfs"), `${FIXTURES.squashfs} must need a module`);
    },
  },
];
