import { equal, ok, throws } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakePartition } from "../support/fake-partitions.ts";

/** One rule of the machine, which the real kernel and the fake both keep. */
export interface ContractCase {
  /** The rule as a sentence. */
  readonly name: string;
  /** `directory` is an empty one on a tmpfs, for this case alone. */
  check(machine: Machine, directory: string, hands: Hands): void;
}

/** What a person does to a machine. */
export interface Hands {
  pullOut(disk: string): void;
  /** Makes more uevents than are kept for who listens. */
  overflowEvents(): void;
}

export const PARTITIONS: readonly FakePartition[] = [
  { image: fakeImage("ext4", { label: "first" }), name: "one", uuid: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" },
  { image: fakeImage("vfat", { label: "SECOND", uuid: "1234-ABCD" }) },
];

/** What both machines have from the start; the cases are run in order, and the modules are loaded by the first of them. */
export const FIXTURES = {
  /** A squashfs with a file `hello`, a directory `etc` with `name` in it, and an empty directory `mnt`. */
  squashfs: "/fixtures/tree.sfs",
  /** Modules as plain .ko files. */
  modules: "/fixtures/modules",
  /** BusyBox. */
  busybox: "/bin/busybox",
  /** The serial line, and the number of its device as proc(5) has it. */
  ...(process.arch === "arm64"
    ? { serial: "/dev/ttyAMA0", serialNumber: 204 * 256 + 64 }
    : { serial: "/dev/ttyS0", serialNumber: 4 * 256 + 64 }),
  /** Disks that virtio_blk finds: ext4 with the file `hello`; the same, write-protected; one with two partitions; the first, not unmounted; and an ext4 whose files may have fs-verity. */
  disk: "vda",
  protectedDisk: "vdb",
  partitionedDisk: "vdc",
  uncleanDisk: "vdd",
  verityDisk: "vde",
} as const;

/** What the file `hello` says. */
export const HELLO = "hello\n";

/** Asserts that the kernel refuses with this errno name. */
export function refuses(code: string, call: () => unknown): void {
  throws(call, (error) => {
    ok(error instanceof SyscallError, String(error));
    equal(error.code, code, error.message);
    return true;
  });
}

export function readText(machine: Machine, path: string): string {
  return Buffer.from(machine.readFile(path)).toString();
}

/** Mounts a tmpfs at a directory, which is made. */
export function mountTmpfs(
  machine: Machine,
  target: string,
  options = "",
  flags: readonly ["ro"] | readonly [] = [],
): void {
  machine.makeDirectory(target);
  machine.mount({ source: "tmpfs", target, type: "tmpfs", flags, options });
}

/** Where things are mounted, oldest first: the fifth word of each line in /proc/self/mountinfo. */
export function listMounts(machine: Machine): readonly string[] {
  const lines = readText(machine, "/proc/self/mountinfo").trimEnd().split("\n");
  return lines.map((line) => line.split(" ")[4] ?? "");
}

/** A tmpfs at `directory`/medium with the image on it: what can be unmounted and tells who still uses it. */
export function makeMedium(machine: Machine, directory: string): string {
  mountTmpfs(machine, `${directory}/medium`);
  machine.copyFile(FIXTURES.squashfs, `${directory}/medium/tree.sfs`);
  return `${directory}/medium/tree.sfs`;
}

export function mountImage(machine: Machine, source: string, target: string): void {
  machine.makeDirectory(target);
  machine.mount({ source, target, type: "squashfs", flags: ["ro"], options: "" });
}

export function loadModule(machine: Machine, name: string): void {
  equal(machine.startModule(`${FIXTURES.modules}/${name}.ko`, "").isDone(60_000), true);
}
