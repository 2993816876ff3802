import * as fs from "node:fs";
import { tolerateRefusal } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { Devices } from "../../machine.ts";
import { openFile } from "../descriptors.ts";
import { systemCall } from "../libc.ts";

/** A device that is read-only because levain said so. */
interface Protected {
  /** Kept open: /dev may have moved when the device is released. null if the device was read-only before. */
  readonly fd: number | null;
  /** The calls of `protectDevice` that are not taken back. */
  users: number;
}

/** Creates the calls that make block devices read-only for a while. */
export function createProtection(): Pick<Devices, "protectDevice" | "releaseDevice" | "releaseDevices"> {
  const devices = new Map<string, Protected>();

  function release(node: string, { fd }: Protected): void {
    devices.delete(node);
    if (fd === null) return;
    try {
      setReadOnly(node, fd, false);
    } finally {
      fs.closeSync(fd);
    }
  }

  return {
    protectDevice(node) {
      const known = devices.get(node) ?? { fd: openAndProtect(node), users: 0 };
      known.users += 1;
      devices.set(node, known);
    },
    releaseDevice(node) {
      const known = devices.get(node);
      if (known === undefined) return;
      known.users -= 1;
      if (known.users === 0) release(node, known);
    },
    releaseDevices() {
      for (const [node, known] of devices) tolerateRefusal(() => release(node, known));
    },
  };
}

/** Returns a descriptor of the device, which is read-only now; null if it was so before, because that is not ours to take back. */
function openAndProtect(node: string): number | null {
  const fd = openFile(node, "r");
  try {
    if (isReadOnly(node, fd)) {
      fs.closeSync(fd);
      return null;
    }
    setReadOnly(node, fd, true);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function isReadOnly(node: string, fd: number): boolean {
  const value = new Int32Array(1);
  systemCall("ioctl", node, fd, abi.BLKROGET, value);
  return value[0] !== 0;
}

function setReadOnly(node: string, fd: number, readOnly: boolean): void {
  systemCall("ioctl", node, fd, abi.BLKROSET, Int32Array.of(Number(readOnly)));
}
