import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { BTRFS_IOC_DEVICES_READY, BTRFS_IOC_FORGET_DEV, BTRFS_IOCTL_VOL_ARGS } from "../../abi.ts";
import { refusable } from "../files.ts";
import { systemCall } from "../libc.ts";

const CONTROL = "/dev/btrfs-control";

/** `Devices.registerBtrfs`: one request both makes the device known and answers 0 when none is missing, 1 otherwise. */
export function registerBtrfs(device: string): boolean {
  const path = Buffer.from(device);
  // The name needs a NUL at its end.
  if (path.length >= BTRFS_IOCTL_VOL_ARGS.size - BTRFS_IOCTL_VOL_ARGS.name) {
    throw new SyscallError("ioctl", "ENAMETOOLONG", device);
  }
  return askControl(BTRFS_IOC_DEVICES_READY, device, path) === 0;
}

/** `Devices.forgetBtrfs`: an empty name means all of them. */
export function forgetBtrfs(): void {
  askControl(BTRFS_IOC_FORGET_DEV, CONTROL, new Uint8Array(0));
}

function askControl(request: number, subject: string, name: Uint8Array): number {
  const argument = new Uint8Array(BTRFS_IOCTL_VOL_ARGS.size);
  argument.set(name, BTRFS_IOCTL_VOL_ARGS.name);
  const control = refusable(CONTROL, () => fs.openSync(CONTROL, "r+"));
  try {
    return systemCall("ioctl", subject, control, request, argument);
  } finally {
    fs.closeSync(control);
  }
}
