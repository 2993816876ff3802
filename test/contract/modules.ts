import { equal, ok } from "node:assert/strict";
import { type ContractCase, FIXTURES, loadModule, readText, refuses } from "./case.ts";

/** In the order in which they can be loaded. */
const LOADABLE = [
  "loop",
  "squashfs",
  "overlay",
  "virtio_ring",
  "virtio",
  "virtio_pci_legacy_dev",
  "virtio_pci_modern_dev",
  "virtio_pci",
];

/** Modules, and the filesystems that come with them. Later cases need what these load. */
export const MODULE_CASES: readonly ContractCase[] = [
  {
    name: "without its module, a filesystem is ENODEV and a loop device ENOENT",
    check(machine, directory) {
      refuses("ENODEV", () =>
        machine.mount({ source: "none", target: directory, type: "overlay", flags: [], options: "" }),
      );
      refuses("ENODEV", () =>
        machine.mount({ source: "none", target: directory, type: "squashfs", flags: [], options: "" }),
      );
      refuses("ENOENT", () => machine.attachLoop({ file: FIXTURES.squashfs, readOnly: true }));
    },
  },
  {
    name: "a file that is no module is ENOEXEC, and one that is missing ENOENT",
    check(machine, directory) {
      machine.writeFile(`${directory}/text.ko`, "no module\n".repeat(100));
      for (const [name, code] of [
        ["text", "ENOEXEC"],
        ["none", "ENOENT"],
      ] as const) {
        const pending = machine.startModule(`${directory}/${name}.ko`, "");
        for (let count = 0; count < 2; count += 1) refuses(code, () => pending.isDone(60_000));
      }
    },
  },
  {
    name: "a module whose symbols are missing is ENOENT, and the kernel says which",
    check(machine) {
      const mark = machine.kernelLogMark();
      refuses("ENOENT", () => loadModule(machine, "virtio_blk"));
      ok(machine.kernelLogSince(mark).some((line) => line.startsWith("virtio_blk: Unknown symbol")));
      equal(machine.stat("/sys/module/virtio_blk"), null);
    },
  },
  {
    name: "a loaded module is in /proc/modules and in sysfs, and a second time EEXIST",
    check(machine) {
      for (const name of LOADABLE) loadModule(machine, name);
      refuses("EEXIST", () => loadModule(machine, "squashfs"));
      ok(
        readText(machine, "/proc/modules").includes("\nvirtio_pci ") ||
          readText(machine, "/proc/modules").startsWith("virtio_pci "),
      );
      equal(machine.stat("/sys/module/virtio_pci")?.kind, "directory");
      const filesystems = readText(machine, "/proc/filesystems").split("\n");
      ok(filesystems.includes("\tsquashfs") && filesystems.includes("nodev\toverlay"));
      equal(machine.stat("/dev/loop-control")?.kind, "character");
    },
  },
];
