import { resolveIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";

const UDEV_PLACES = [
  "/usr/lib/systemd/systemd-udevd",
  "/lib/systemd/systemd-udevd",
  "/sbin/udevd",
  "/usr/bin/udevd",
  "/lib/udev/udevd",
];

/** True if the root at `root` will load the drivers of its hardware: it has a udev, and starts as usual, with its default init and without arguments such as `emergency`. */
export function loadsOwnDrivers(
  machine: Machine,
  root: string,
  { init, arguments: words }: BootPlan["handover"],
): boolean {
  if (init !== null || words.length > 0) return false;
  return UDEV_PLACES.some((path) => resolveIn(machine, root, path) !== null);
}
