import { formatDeviceSpec } from "../config/device-spec.ts";
import type { BootPlan, DeviceSpec } from "../config/plan.ts";
import { BootError } from "../errors.ts";
import { printable } from "../report.ts";
import { type BlockDevice, describeDevice } from "./block-devices.ts";
import type { Inventory } from "./inventory.ts";

const MOST_NAMED = 3;

/** The spec as the command line spells it, safe to print. */
export function specText(spec: DeviceSpec): string {
  return printable(formatDeviceSpec(spec));
}

/** `waiting for LABEL=FLASH, 2 of 30 s`. */
export function describeWait(wanted: DeviceSpec, waitedMs: number, timeoutMs: number | null): string {
  const limit = timeoutMs === null ? "" : ` of ${Math.round(timeoutMs / 1000)}`;
  return `waiting for ${specText(wanted)}, ${Math.round(waitedMs / 1000)}${limit} s`;
}

/** What is there so far, as much as one line bears; the report has them all. */
export function listShort(inventory: Inventory): string {
  const seen = listTelling(inventory).map(describeDevice);
  const more = seen.length > MOST_NAMED ? [`${seen.length - MOST_NAMED} more`] : [];
  return [...seen.slice(0, MOST_NAMED), ...more].join(" · ") || "no block device yet";
}

/** Whole disks with a partition table say nothing that their partitions do not say better. */
function listTelling(inventory: Inventory): readonly BlockDevice[] {
  return [...inventory.values()].filter(({ facts }) => facts.partitionTable === null || facts.type !== null);
}

function describeSeen(device: BlockDevice): string {
  const locked = device.facts.type === "crypto_LUKS" ? " (encrypted: nothing asks to unlock it)" : "";
  return `${describeDevice(device)}${locked}`;
}

const MISSING: Readonly<Record<DeviceSpec["by"], string>> = {
  path: "no device",
  number: "no device",
  label: "no device with label",
  uuid: "no device with UUID",
  partlabel: "no partition named",
  partuuid: "no partition with PARTUUID",
};

/** The search is over: what was looked for, what was there instead, what to try. `lacks`: what was there only in part. */
export function describeMissing(
  plan: BootPlan,
  inventory: Inventory,
  lacks: ReadonlyMap<DeviceSpec, string>,
): BootError {
  const within = plan.rootTimeoutMs === null ? "" : ` within ${Math.round(plan.rootTimeoutMs / 1000)} s`;
  const reasons = plan.roots.map((spec, index) => {
    const lack = lacks.get(spec);
    if (lack !== undefined) return `only ${lack}`;
    const value =
      spec.by === "path" || spec.by === "number"
        ? formatDeviceSpec(spec)
        : `"${formatDeviceSpec(spec).replace(/^[A-Z]+=/, "")}"`;
    return `${MISSING[spec.by]} ${printable(value)} appeared${index === 0 ? within : " either (rootfallback=)"}`;
  });
  const seen = listTelling(inventory).map(describeSeen);
  return new BootError("could not find the root device", {
    cause: new BootError(reasons.join("\n")),
    seen: seen.length > 0 ? seen : ["no block device at all"],
    hint: chooseHint(seen.length > 0, lacks.size > 0),
  });
}

function chooseHint(isAnyDevice: boolean, isPartThere: boolean): string {
  if (isPartThere) return "attach the missing disk, or do without it: `levain retry rootflags=degraded`";
  if (isAnyDevice) {
    return "correct root= in the boot loader, try one with `levain retry root=…`, or add the disk's driver: levain image --module NAME";
  }
  return "the disk's driver is missing or the disk is: `levain status` lists devices without a driver; add it with levain image --module NAME";
}
