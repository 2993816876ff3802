import type { Devices } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** Block devices that are read-only for a while, over the fake kernel's devices. */
export function createFakeProtection(
  kernel: FakeKernel,
): Pick<Devices, "protectDevice" | "releaseDevice" | "releaseDevices"> {
  const devices = new Map<string, { readonly device: FakeBlockDevice; readonly before: boolean; users: number }>();

  function open(path: string): FakeBlockDevice {
    const { node } = kernel.namespace.find(path, "open");
    const device = node.kind === "block" ? kernel.devices.byNumber(node.number) : undefined;
    if (device === undefined) throw new SyscallError("ioctl", node.kind === "block" ? "ENXIO" : "ENOTTY", path);
    return device;
  }

  return {
    protectDevice(path) {
      const known = devices.get(path) ?? { device: open(path), before: open(path).readOnly, users: 0 };
      known.users++;
      known.device.readOnly = true;
      devices.set(path, known);
    },
    releaseDevice(path) {
      const known = devices.get(path);
      if (known === undefined || --known.users > 0) return;
      known.device.readOnly = known.before;
      devices.delete(path);
    },
    releaseDevices() {
      for (const { device, before } of devices.values()) device.readOnly = before;
      devices.clear();
    },
  };
}
