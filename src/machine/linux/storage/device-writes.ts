import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { closing, openFile, refusable, writeAll } from "../descriptors.ts";

/** Implements `Devices.writeDevice`. O_SYNC: the bytes are on the disk when the call returns; the kernel reads the rest of their sector first. */
export function writeDevice(device: string, offset: number, data: Uint8Array): void {
  closing(openFile(device, fs.constants.O_WRONLY | fs.constants.O_SYNC), (fd) => {
    if (!refusable(device, () => fs.fstatSync(fd)).isBlockDevice()) throw new SyscallError("open", "ENOTBLK", device);
    writeAll(fd, data, device, offset);
  });
}
