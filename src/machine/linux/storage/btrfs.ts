import { SyscallError } from "../../../problems/errors.ts";
import { BTRFS_IOC_DEVICES_READY, BTRFS_IOC_FORGET_DEV, BTRFS_IOCTL_VOL_ARGS } from "../../abi/constants.ts";
import { closing, openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";

const CONTROL = "/dev/btrfs-control";

/** Implements `Devices.registerBtrfs`: one request registers the device and returns 0 if no other is missing, else 1. */
export function registerBtrfs(device: string): boolean {
  const path = Buffer.from(device);
  // The name is NUL-terminated.
  if (path.length >= BTRFS_IOCTL_VOL_ARGS.size - BTRFS_IOCTL_VOL_ARGS.name) {
    throw new SyscallError("ioctl", "ENAMETOOLONG", device);
  }
  return askControl(BTRFS_IOC_DEVICES_READY, device, path) === 0;
}

/** Implements `Devices.forgetBtrfs`: an empty name means all devices. */
export function forgetBtrfs(): void {
  askControl(BTRFS_IOC_FORGET_DEV, CONTROL, new Uint8Array(0));
}

function askControl(request: number, subject: string, name: Uint8Array): number {
  const argument = new Uint8Array(BTRFS_IOCTL_VOL_ARGS.size);
  argument.set(name, BTRFS_IOCTL_VOL_ARGS.name);
  return closing(openFile(CONTROL, "r+"), (control) => systemCall("ioctl", subject, control, request, argument));
}
