import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import { formatDeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan } from "../plan/plan.ts";
import { byHand, inBootLoader, inBuilder, inShell } from "../problems/diagnosis.ts";
import { BootError, type Hint } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { Inventory } from "./inventory.ts";

const MOST_NAMED = 3;

/** The spec as the command line spells it, safe to print. */
export function specText(spec: DeviceSpec): string {
  return printable(formatDeviceSpec(spec));
}

/** `waiting for LABEL=FLASH, 2 of 30 s`. */
export function describeWait(wanted: DeviceSpec, waitedMs: number, timeoutMs: number | null): string {
  return waitText(specText(wanted), waitedMs, timeoutMs);
}

/** The same for anything, in words that are safe to print. */
export function waitText(what: string, waitedMs: number, timeoutMs: number | null): string {
  const limit = timeoutMs === null ? "" : ` of ${Math.round(timeoutMs / 1000)}`;
  return `waiting for ${what}, ${Math.round(waitedMs / 1000)}${limit} s`;
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

const MISSING: Readonly<Record<"label" | "uuid" | "partlabel" | "partuuid", string>> = {
  label: "no device with label",
  uuid: "no device with UUID",
  partlabel: "no partition named",
  partuuid: "no partition with PARTUUID",
};

/** What did not come, in words, safe to print. */
function describeAbsent(spec: DeviceSpec): string {
  switch (spec.by) {
    case "path":
    case "number":
    case "sibling":
    case "luks":
      return `no device ${specText(spec)}`;
    case "file":
      return `no ${{ all: "device", removable: "removable device", usb: "USB device" }[spec.among]} with ${printable(spec.paths.join(" or "))}`;
    case "discoverable":
      return spec.esp === null
        ? "the boot loader does not say which disk it is on (no LoaderDevicePartUUID), so no root partition"
        : `no partition of type ${spec.type} on the disk of the EFI partition ${printable(spec.esp)}`;
    default:
      return `${MISSING[spec.by]} "${specText(spec).replace(/^[A-Z]+=/, "")}"`;
  }
}

/** What is to be said of a search that is over. */
export interface SearchResult {
  readonly inventory: Inventory;
  /** What was there only in part. */
  readonly lacks: ReadonlyMap<DeviceSpec, string>;
  /** What has the name, but lies outside of the encrypted volumes that a parameter names. */
  readonly strangers: (spec: DeviceSpec) => readonly BlockDevice[];
  /** What a device needs more words than its type for: why it is not unlocked. */
  readonly describe: (device: BlockDevice) => string | null;
  /** What else was asked for and did not come, a sentence each. */
  readonly missing: readonly string[];
}

/** The search is over: what was looked for, what was there instead, what to try. */
export function describeMissing(
  what: string,
  plan: Pick<BootPlan, "rootTimeoutMs"> & { readonly roots: readonly DeviceSpec[] },
  { inventory, lacks, strangers, describe, missing }: SearchResult,
): BootError {
  const within = plan.rootTimeoutMs === null ? "" : ` within ${Math.round(plan.rootTimeoutMs / 1000)} s`;
  const reasons = plan.roots.map((spec, index) => {
    const lack = lacks.get(spec);
    if (lack !== undefined) return `only ${lack}`;
    const stranger = describeStrangers(strangers(spec));
    if (stranger !== null) return `${specText(spec)} is ${stranger}`;
    return `${describeAbsent(spec)} appeared${index === 0 ? within : ` either${spec.by === "file" ? "" : " (rootfallback=)"}`}`;
  });
  const seen = listTelling(inventory).map((device) => {
    const more = describe(device);
    return `${describeDevice(device)}${more === null ? "" : ` (${more})`}`;
  });
  const otherHints = what === "the root device" ? chooseHints(seen, lacks.size > 0) : LAYER_HINTS;
  const stranger = hintForStrangers(plan.roots.flatMap(strangers));
  return new BootError(`could not find ${what}`, {
    cause: new BootError([...reasons, ...missing].join("\n")),
    seen: seen.length > 0 ? seen : ["no block device at all"],
    hints: stranger === null ? otherHints : [inBootLoader(stranger)],
  });
}

/** Devices that are not used though they have the name; null where there are none. */
export function describeStrangers(devices: readonly BlockDevice[]): string | null {
  if (devices.length === 0) return null;
  return `${devices.map(describeDevice).join(" and ")}, not used: it lies outside of the encrypted volumes that are asked for`;
}

function hintForStrangers(devices: readonly BlockDevice[]): string | null {
  if (devices.length === 0) return null;
  const volume = devices.find(({ facts }) => facts.type === "crypto_LUKS");
  if (volume !== undefined)
    return `if ${volume.node} holds the root, name it too: rd.luks.uuid=${printable(volume.facts.uuid ?? "")}`;
  return "unlock the volume that holds the root; if the root is not encrypted, say that it does not need the volume: rd.luks.options=UUID=nofail";
}

/** Of an encrypted device that no parameter names. */
export const UNASKED = "encrypted: nothing asks to unlock it";

const DRIVER = inBuilder("add the disk's driver: levain image --module NAME");

const LAYER_HINTS = [
  inShell("attach the disk and `exit`"),
  inBootLoader("correct rd.layer= in the boot loader"),
  DRIVER,
];

function chooseHints(seen: readonly string[], isPartThere: boolean): readonly Hint[] {
  if (isPartThere)
    return [byHand("attach the missing disk"), inBootLoader("do without it: add degraded to rootflags=")];
  if (seen.some((line) => line.includes(UNASKED))) {
    const unlock = inShell("unlock the encrypted device with `levain retry rd.auto` if the root is in it");
    return [unlock, inBootLoader("correct root= in the boot loader")];
  }
  if (seen.length > 0) {
    return [inBootLoader("correct root= in the boot loader"), inShell("try one with `levain retry root=…`"), DRIVER];
  }
  return [byHand("attach the disk"), inShell("see devices without a driver with `levain status`"), DRIVER];
}
