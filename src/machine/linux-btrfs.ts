import * as fs from "node:fs";
import { SyscallError } from "../errors.ts";
import { BTRFS_IOC_DEVICES_READY, BTRFS_IOCTL_VOL_ARGS } from "./abi.ts";
import { systemCall } from "./libc.ts";
import { refusable } from "./linux-files.ts";

const CONTROL = "/dev/btrfs-control";

/** `Devices.registerBtrfs`: one request both makes the device known and answers 0 when none is missing, 1 otherwise. */
export function registerBtrfs(device: string): boolean {
  const path = Buffer.from(device);
  // The name needs a NUL at its end.
  if (path.length >= BTRFS_IOCTL_VOL_ARGS.size - BTRFS_IOCTL_VOL_ARGS.name) {
    throw new SyscallError("ioctl", "ENAMETOOLONG", device);
  }
  const request = new Uint8Array(BTRFS_IOCTL_VOL_ARGS.size);
  request.set(path, BTRFS_IOCTL_VOL_ARGS.name);
  const control = refusable(CONTROL, () => fs.openSync(CONTROL, "r+"));
  try {
    return systemCall("ioctl", device, control, BTRFS_IOC_DEVICES_READY, request) === 0;
  } finally {
    fs.closeSync(control);
  }
}
