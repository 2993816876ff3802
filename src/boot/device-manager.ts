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

/** True where the root at `root` will load drivers for its hardware itself: it has a udev, and is started the usual way, with its own init and no words for it such as `emergency`. */
export function loadsOwnDrivers(
  machine: Machine,
  root: string,
  { init, arguments: words }: BootPlan["handover"],
): boolean {
  if (init !== null || words.length > 0) return false;
  return UDEV_PLACES.some((path) => resolveIn(machine, root, path) !== null);
}
