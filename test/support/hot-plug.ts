import type { NamedDisk } from "../../src/desk/qemu/disk-devices.ts";
import type { Monitor } from "../../src/desk/qemu/monitor.ts";
import { afterMs, type Clock } from "./guest-clock.ts";
import type { Vm } from "./qemu.ts";
import type { Disk } from "./qemu-arguments.ts";

const RELEASE_TIMEOUT_MS = 60_000;

/** How a guest's disks come and go while it runs. */
export function hotPlug(
  disks: readonly NamedDisk<Disk>[],
  monitor: Monitor,
  clock: Clock,
): Pick<Vm, "plug" | "unplug"> {
  return {
    async plug(id) {
      const named = disks.find((disk) => disk.id === id);
      if (named === undefined) throw new Error(`there is no disk "${id}"`);
      await monitor.execute("device_add", named.device);
    },
    async unplug(id) {
      // device_del only asks the guest. What QEMU has of the device, the lock on its file too, goes with this event.
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const forget = monitor.onEvent((name, data) => {
        if (name === "DEVICE_DELETED" && data["device"] === id) resolve();
      });
      const late = (): void => reject(new Error(`the guest has not released "${id}" after ${RELEASE_TIMEOUT_MS} ms`));
      const cancel = afterMs(clock, RELEASE_TIMEOUT_MS, late);
      try {
        await monitor.execute("device_del", { id });
        await promise;
      } finally {
        cancel();
        forget();
      }
    },
  };
}
