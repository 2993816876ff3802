import { listPlaces } from "../../devices/drives.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../machine/small-files.ts";
import { orIfRefused } from "../../problems/errors.ts";

/** A device that works because a driver has claimed it. */
export interface DriverNeed {
  /** As "pci 0000:01:00.0". */
  readonly device: string;
  /** Empty for a device without one. */
  readonly modalias: string;
  /** The module of its driver; null: it is built into the running kernel. */
  readonly module: string | null;
}

/** A block device between the root filesystem and its disks, by the kernel's name. */
export interface StackLayer {
  readonly name: string;
  readonly kind: "disk" | "partition" | "crypt" | "lvm" | "raid" | "multipath" | "bcache" | "mapped";
  /** The modules that make such a device. */
  readonly modules: readonly string[];
  /** What it lies on. */
  readonly below: readonly string[];
}

/** What a boot of this machine needs to reach its root, and what a person types on. */
export interface HostNeeds {
  /** From the root devices down to their disks. */
  readonly stack: readonly StackLayer[];
  /** On the paths from the CPU to the disks. */
  readonly drivers: readonly DriverNeed[];
  /** For each keyboard: its path. */
  readonly keyboards: readonly (readonly DriverNeed[])[];
}

/** Finds in /sys what these block devices need, and the keyboards. */
export function hostNeeds(machine: Machine, names: readonly string[]): HostNeeds {
  const stack = walkStack(machine, names);
  const disks = stack.filter(({ kind }) => kind === "disk").map((layer) => layer.name);
  const places = disks.flatMap((disk) => listPlaces(machine, placeOf(machine, `/sys/class/block/${disk}`)));
  const needs = places.flatMap((place) => walkUp(machine, place));
  const drivers = [...new Map(needs.map((need) => [need.device, need])).values()];
  return { stack, drivers, keyboards: findKeyboards(machine) };
}

function walkStack(machine: Machine, names: readonly string[]): readonly StackLayer[] {
  const layers = new Map<string, StackLayer>();
  const todo = [...names];
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (layers.has(name)) continue;
    const layer = describeLayer(machine, name);
    layers.set(name, layer);
    todo.push(...layer.below);
  }
  return [...layers.values()];
}

function describeLayer(machine: Machine, name: string): StackLayer {
  const directory = `/sys/class/block/${name}`;
  const below = orIfRefused(() => listOrNone(machine, `${directory}/slaves`), []);
  if (below.length > 0) return { name, ...kindOf(machine, name, directory), below };
  if (machine.stat(`${directory}/partition`) === null) return { name, kind: "disk", modules: [], below };
  const disk = placeOf(machine, directory).split("/").at(-2) ?? "";
  return { name, kind: "partition", modules: [], below: [disk] };
}

/** By the beginning of a mapping's UUID, which its maker chooses (dm/uuid). */
const MAPPINGS = [
  ["CRYPT-", "crypt", ["dm_crypt"]],
  ["LVM-", "lvm", ["dm_mod"]],
  ["mpath-", "multipath", ["dm_multipath"]],
] as const;

function kindOf(machine: Machine, name: string, directory: string): Pick<StackLayer, "kind" | "modules"> {
  if (name.startsWith("md")) {
    const level = textOrNone(machine, `${directory}/md/level`).trim();
    return { kind: "raid", modules: [/^raid[456]$/.test(level) ? "raid456" : level || "md_mod"] };
  }
  if (name.startsWith("bcache")) return { kind: "bcache", modules: ["bcache"] };
  const uuid = textOrNone(machine, `${directory}/dm/uuid`);
  const [, kind = "mapped", modules = ["dm_mod"]] = MAPPINGS.find(([prefix]) => uuid.startsWith(prefix)) ?? [];
  return { kind, modules };
}

/** Returns the path of a link of /sys/class without /sys, as "/devices/…"; empty if it is gone. */
function placeOf(machine: Machine, link: string): string {
  const target = orIfRefused(() => machine.readLink(link), "");
  return target.replace(/^(?:\.\.\/)+/, "/");
}

/** Lists the devices with a driver from a place below /sys up to the bridge of the CPU, the nearest to the CPU first. */
function walkUp(machine: Machine, place: string): readonly DriverNeed[] {
  const parts = place.split("/").filter((part) => part !== "");
  const directories = parts.map((_, index) => `/sys/${parts.slice(0, index + 1).join("/")}`);
  return directories.flatMap((directory) => {
    const driver = orIfRefused(() => machine.readLink(`${directory}/driver`), null);
    if (driver === null) return [];
    const bus = driver.split("/").at(-3) ?? "";
    const module = orIfRefused(() => machine.readLink(`${directory}/driver/module`).split("/").at(-1) ?? null, null);
    const modalias = orIfRefused(() => textOrNone(machine, `${directory}/modalias`).trim(), "");
    return [{ device: `${bus} ${directory.split("/").at(-1)}`, modalias, module }];
  });
}

/** EV_REP of linux/input-event-codes.h: keys that repeat. Keyboards have it, power buttons and headsets have not. */
const REPEATS = 1n << 0x14n;

function findKeyboards(machine: Machine): HostNeeds["keyboards"] {
  const inputs = orIfRefused(() => listOrNone(machine, "/sys/class/input"), []);
  return inputs
    .filter((name) => name.startsWith("input") && isKeyboard(machine, name))
    .map((name) => walkUp(machine, placeOf(machine, `/sys/class/input/${name}`)))
    .filter((path) => path.length > 0);
}

function isKeyboard(machine: Machine, name: string): boolean {
  const text = orIfRefused(() => textOrNone(machine, `/sys/class/input/${name}/capabilities/ev`).trim(), "");
  return /^[0-9a-f]+$/.test(text) && (BigInt(`0x${text}`) & REPEATS) !== 0n;
}
