import type { Devices } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";

const SUPERBLOCK = 64 * 1024;

/** The devices that fs/btrfs/volumes.c has been told of, by the filesystem's UUID. */
export function createFakeBtrfs(kernel: FakeKernel): Pick<Devices, "registerBtrfs" | "forgetBtrfs"> {
  const known = new Map<string, Set<bigint>>();
  return {
    forgetBtrfs() {
      kernel.namespace.find("/dev/btrfs-control", "open");
      known.clear();
    },
    registerBtrfs(path) {
      kernel.namespace.find("/dev/btrfs-control", "open");
      const { node } = kernel.namespace.find(path, "ioctl");
      const content = kernel.devices.byNumber(node.kind === "block" ? node.number : null)?.content;
      if (content === undefined) throw new SyscallError("ioctl", "ENOTBLK", path);
      const sb = Buffer.from(content.subarray(SUPERBLOCK, SUPERBLOCK + 4096));
      if (sb.toString("latin1", 0x40, 0x48) !== "_BHRfS_M") throw new SyscallError("ioctl", "EINVAL", path);
      const filesystem = sb.toString("hex", 0x20, 0x30);
      const devices = known.get(filesystem) ?? new Set();
      known.set(filesystem, devices.add(sb.readBigUInt64LE(0xc9)));
      return BigInt(devices.size) === sb.readBigUInt64LE(0x88);
    },
  };
}
