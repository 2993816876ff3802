import { closeSync, constants, openSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { attempt } from "../host.ts";
import type { Bus } from "./disk-devices.ts";
import type { GuestDisk } from "./guest-arguments.ts";

/** Returns the disk of a guest for a file or a block device of this host. Throws BootError if it cannot be used so. */
export function openGuestDisk(path: string, bus: Bus, keepsWrites: boolean): GuestDisk {
  const file = resolve(path);
  const what = `cannot use the disk ${printable(path)}`;
  const status = attempt(what, () => statSync(file));
  const isDevice = status.isBlockDevice();
  if (!isDevice && !status.isFile()) {
    throw new BootError(`${what}: it is neither a file nor a block device`);
  }
  refuse(what, file, isDevice && keepsWrites, keepsWrites);
  return { file, isDevice, bus, keepsWrites };
}

/** For a block device, O_EXCL is refused while it, or a partition of it, is mounted or used by another one (open(2)). */
function refuse(what: string, file: string, isExclusive: boolean, keepsWrites: boolean): void {
  const flags = (keepsWrites ? constants.O_RDWR : constants.O_RDONLY) | (isExclusive ? constants.O_EXCL : 0);
  const hint = keepsWrites
    ? "without --write, the guest gets a view of it whose changes are discarded"
    : "run this as root, or as a member of the group of the disk";
  attempt(what, () => closeSync(openSync(file, flags)), hint);
}
