import { accessSync, closeSync, constants, fstatSync, fsyncSync, openSync, realpathSync } from "node:fs";
import type { Machine } from "../../../machine/machine.ts";
import { BootError, isErrno } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { attempt } from "../../host.ts";
import { identifyDisk, type TargetDisk } from "./disk.ts";

/** The hold on a disk from the first look at it until it is written. */
export interface DiskClaim {
  /** Its node, and no link, which udev may point at another disk. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly bytes: number;
  /** False: something uses the disk, and the user overwrites it anyway. */
  readonly isExclusive: boolean;
  /** Throws BootError if the disk was unplugged, or its medium changed. */
  check(): void;
  /** Lets `act` write to the disk; returns when everything is on it. Throws BootError. */
  write(act: (file: number) => void | Promise<void>): Promise<void>;
  release(): void;
}

/**
 * Claims a disk. While a descriptor of it is open, the kernel gives its name to no other disk. Throws BootError if it cannot be written, and
 * if the kernel says that it is in use, unless the user insists: mounts of other namespaces, and the members of ZFS and btrfs, are seen in no other way.
 */
export function claimDisk(machine: Machine, disk: TargetDisk, isForced: boolean): DiskClaim {
  const name = printable(disk.node);
  const what = `cannot write to ${name}`;
  const path = attempt(what, () => realpathSync(disk.node));
  attempt(what, () => accessSync(path, constants.W_OK), "run it with sudo");
  const isExclusive = tryExclusive(path, what);
  if (!isExclusive && !isForced) {
    throw new BootError(`not overwriting ${name}: the kernel says that it is in use`, {
      seen: ["no mount, swap or volume of it is visible here"],
      hint: `a container or a filesystem of several disks may use it; --force ${name} overwrites it anyway`,
    });
  }
  const keeper = attempt(what, () => openSync(path, constants.O_RDONLY));
  const check = (file = keeper) => {
    const isSame =
      identifyDisk(machine, disk.number) === disk.identity && fstatSync(file).rdev === fstatSync(keeper).rdev;
    if (isSame) return;
    throw new BootError(`${name} is not the disk that it was: it was unplugged, or its medium changed`, {
      hint: "nothing more is written; run the command again",
    });
  };
  const flags = constants.O_RDWR | (isExclusive ? constants.O_EXCL : 0);
  const write = async (act: (file: number) => void | Promise<void>) => {
    const file = attempt(what, () => openSync(path, flags));
    try {
      check(file);
      await act(file);
      attempt(what, () => fsyncSync(file));
    } finally {
      closeSync(file);
    }
  };
  return {
    ...{ path, name, isExclusive, bytes: disk.bytes },
    check: () => check(),
    write,
    release: () => closeSync(keeper),
  };
}

/** False if the kernel, or a program, has the disk to itself (open(2), O_EXCL). */
function tryExclusive(path: string, what: string): boolean {
  try {
    closeSync(attempt(what, () => openSync(path, constants.O_RDONLY | constants.O_EXCL)));
    return true;
  } catch (error) {
    if (error instanceof BootError && isErrno(error.cause, "EBUSY")) return false;
    throw error;
  }
}
