import { deepEqual, equal, ok } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { type ContractCase, FIXTURES, HELLO, readText, refuses } from "./case.ts";

const NODE = `/dev/${FIXTURES.uncleanDisk}`;

/** Devices that are read-only for a while, and what ext4 writes when it is mounted. */
export const UNTOUCHED_CASES: readonly ContractCase[] = [
  {
    name: "a protected device is not mounted writable until it is released as often, and not forgotten when /dev is",
    check(machine, directory) {
      const node = `/dev/${FIXTURES.disk}`;
      const mount = { source: node, target: directory, type: "ext4", flags: [], options: "" } as const;
      const state = () => readText(machine, `/sys/class/block/${FIXTURES.disk}/ro`);
      for (let count = 0; count < 2; count++) machine.protectDevice(node);
      equal(state(), "1\n");
      machine.releaseDevice(node);
      refuses("EACCES", () => machine.mount(mount));
      machine.releaseDevice(node);
      equal(state(), "0\n");
      machine.releaseDevice(node);
      machine.mount(mount);
      machine.unmount(directory);
      machine.protectDevice(node);
      machine.releaseDevices();
      equal(state(), "0\n");
      refuses("ENOENT", () => machine.protectDevice("/dev/none"));
    },
  },
  {
    name: "bytes of a device are overwritten in place, and those beside them stay",
    check(machine, directory) {
      const node = `/dev/${FIXTURES.disk}`;
      const [at, count] = [4086, 10];
      const before = readSome(machine, node, 0, 8192);
      machine.writeDevice(node, at, new Uint8Array(count).fill(0x5a));
      const changed = new Uint8Array(before).fill(0x5a, at, at + count);
      deepEqual(readSome(machine, node, 0, 8192), changed);
      machine.writeDevice(node, at, before.subarray(at, at + count));
      deepEqual(readSome(machine, node, 0, 8192), before);
      machine.protectDevice(node);
      refuses("EPERM", () => machine.writeDevice(node, at, new Uint8Array(count)));
      machine.releaseDevice(node);
      deepEqual(readSome(machine, node, 0, 8192), before);
      machine.writeFile(`${directory}/file`, "text");
      refuses("ENOTBLK", () => machine.writeDevice(`${directory}/file`, 0, new Uint8Array(1)));
      refuses("ENOENT", () => machine.writeDevice("/dev/none", 0, new Uint8Array(1)));
    },
  },
  {
    name: "ext4 that was not unmounted is left as it is by noload on a protected device, and by nothing less",
    check(machine, directory) {
      const mount = { source: NODE, target: directory, type: "ext4", flags: ["ro"], options: "" } as const;
      const before = readAll(machine);
      machine.protectDevice(NODE);
      const mark = machine.kernelLogMark();
      refuses("EROFS", () => machine.mount(mount));
      ok(machine.kernelLogSince(mark).some((line) => line.includes("try mounting with noload")));
      machine.mount({ ...mount, options: "noload" });
      equal(readText(machine, `${directory}/hello`), HELLO);
      machine.unmount(directory);
      deepEqual(readAll(machine), before);
      machine.releaseDevice(NODE);
      // fs/ext4/orphan.c: a read-only mount deletes orphaned inodes, with noload too.
      machine.mount({ ...mount, options: "noload" });
      machine.unmount(directory);
      ok(readAll(machine) !== before, "noload alone writes");
    },
  },
];

function readSome(machine: Machine, node: string, offset: number, length: number): Uint8Array {
  const reader = machine.openReader(node);
  try {
    return reader.read(offset, length);
  } finally {
    reader.close();
  }
}

/** A hash of everything on the disk. */
function readAll(machine: Machine): string {
  const reader = machine.openReader(NODE);
  try {
    return Bun.hash(reader.read(0, reader.size)).toString(16);
  } finally {
    reader.close();
  }
}
