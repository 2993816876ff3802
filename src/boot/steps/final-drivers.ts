import type { Context } from "../../drivers/context.ts";
import { type FstabEntry, hasOption, readFstab } from "../../filesystems/fstab.ts";
import { resolveIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { printable } from "../../problems/report.ts";

type HandoverPlan = BootPlan["handover"];

/** Loads the drivers that the system at `root` will not load itself, as rd.drivers= says. */
export function loadFinalDrivers(
  { machine, drivers, voice }: Pick<Context, "machine" | "drivers" | "voice">,
  root: string,
  plan: HandoverPlan,
): void {
  const isAsked = plan.drivers === "all";
  if (plan.drivers === "root" || (!isAsked && loadsOwnDrivers(machine, root, plan))) return;
  // Whoever names the init, as for a repair, may do anything by hand.
  if (isAsked || plan.init !== null || mountsOtherDevices(machine, root)) {
    drivers.loadAll();
    return;
  }
  const left = drivers.loadWithoutDisks().map(printable).join(", ");
  if (left === "") return;
  voice.debug(`not loaded, because /etc/fstab names no other disk: ${left} (rd.drivers=all loads all drivers)`);
}

const UDEV_PLACES = [
  ...["/usr/lib/systemd/systemd-udevd", "/lib/systemd/systemd-udevd"],
  ...["/sbin/udevd", "/usr/bin/udevd", "/lib/udev/udevd"],
];

/** True if the root at `root` will load the drivers of its hardware: it has a udev, and starts as usual, with its default init and without arguments such as `emergency`. */
function loadsOwnDrivers(machine: Machine, root: string, { init, arguments: words }: HandoverPlan): boolean {
  if (init !== null || words.length > 0) return false;
  return UDEV_PLACES.some((path) => resolveIn(machine, root, path) !== null);
}

/** A device as fstab(5) names it. */
const DEVICE = /^(?:\/dev\/|(?:UUID|LABEL|PARTUUID|PARTLABEL|ID)=)/;

/** True if the system at `root` will mount a device besides its root when it starts, or may do so: a table that cannot be read may name anything. */
function mountsOtherDevices(machine: Machine, root: string): boolean {
  return readFstab(machine, root)?.some(namesOtherDevice) ?? true;
}

function namesOtherDevice({ source, target, options }: FstabEntry): boolean {
  return DEVICE.test(source) && target !== "/" && !hasOption(options, "noauto");
}
