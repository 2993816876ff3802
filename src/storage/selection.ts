import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import { isPartOfVolume, listLinks } from "../devices/persistent-names.ts";
import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { Assemblies } from "./assemblies.ts";
import type { StorageContext, StoragePlan } from "./contract.ts";
import { createContentSearch } from "./device-content.ts";
import type { DeviceProbes } from "./device-probes.ts";
import { createNamer } from "./inventory.ts";
import { type Look, matchDevices } from "./match.ts";
import { createDiskPaths, type DiskPaths } from "./multipath/disk-paths.ts";
import { chooseTrusted, liesInVolume } from "./trust.ts";

/** What specs select among the devices that are present: by name, and by what may be a part of the root. */
export interface Selection extends Pick<StorageContext, "devices" | "present" | "find" | "matches" | "companions"> {
  /** The devices that `spec` names although they lie outside the volumes that the root has to lie in. */
  strangers(spec: DeviceSpec): readonly BlockDevice[];
  /** The device that `device` is another path to; null if there is only one, or it is the one that is used. */
  otherPath(device: BlockDevice): BlockDevice | null;
  /** The devices that could not be searched for a file, described, and why. */
  unsearched(): readonly { readonly text: string; readonly why: string; readonly drivers: readonly string[] }[];
  close(): void;
}

/** Makes the selection for one search. */
export function createSelection(
  context: Context,
  plan: Pick<StoragePlan, "image">,
  { inventory, isUnderWay }: Pick<DeviceProbes, "inventory" | "isUnderWay">,
  assemblies: Assemblies,
): Selection {
  const { machine } = context;
  const content = createContentSearch(context);
  const paths = createDiskPaths(machine, inventory);
  const look: Look = {
    name: createNamer(machine, inventory),
    links: (device) => listLinks(machine, device),
    holds: content.holds,
  };
  const present = createPresence(machine, inventory, paths);
  const devices = () => present().filter((device) => !assemblies.isShown(device));
  const match = (spec: DeviceSpec, among: readonly BlockDevice[]) => {
    // A name may be that of the path that is not used.
    const { isOther, used } = paths();
    const others = spec.by === "file" ? [] : [...inventory.values()].filter(isOther);
    return [...new Set(matchDevices(spec, [...among, ...others], look).map(used))];
  };
  const find = (spec: DeviceSpec) => match(spec, devices());
  const required = () => {
    const volumes = assemblies.required();
    // A medium may lie outside if its image is the volume: only its layers can tell.
    return plan.image !== null && volumes.every(({ outside }) => outside === null) ? [] : volumes;
  };
  const all = (spec: DeviceSpec) => {
    const named = spec.by === "file" ? find(spec) : match(spec, present());
    return [...new Set(named.map(assemblies.innermost))];
  };
  const isKnown = ({ name }: BlockDevice) => !isUnderWay(name);
  const matches = (spec: DeviceSpec) => {
    const volumes = required();
    // The first device that holds a file counts: no stranger may be that, or even be mounted.
    if (spec.by === "file" && volumes.length > 0) {
      return matchDevices(spec, chooseTrusted(machine, devices(), volumes), look).filter(isKnown);
    }
    return chooseTrusted(machine, all(spec), volumes).filter(isKnown);
  };
  return {
    devices,
    present,
    find,
    matches,
    strangers: (spec) => (spec.by === "file" || matches(spec).length > 0 ? [] : all(spec)),
    otherPath(device) {
      const { isOther, used } = paths();
      return isOther(device) ? used(device) : null;
    },
    unsearched: () =>
      [...inventory.values()].flatMap((device) => {
        const obstacle = content.obstacle(device);
        return obstacle === null ? [] : [{ text: describeDevice(device), ...obstacle }];
      }),
    close: content.close,
    companions(device) {
      const volumes = required();
      if (volumes.length > 0) return chooseTrusted(machine, devices(), volumes);
      const isInside = liesInVolume(machine);
      return devices().filter((other) => isInside(other) === isInside(device));
    },
  };
}

/** Lists what is present and no part of a volume or another path to a disk; what lies in encrypted volumes comes first. */
function createPresence(
  machine: Machine,
  inventory: DeviceProbes["inventory"],
  paths: () => DiskPaths,
): Selection["present"] {
  const parts = new WeakMap<BlockDevice, boolean>();
  const isPart = (device: BlockDevice) => {
    const known = parts.get(device) ?? isPartOfVolume(machine, device);
    parts.set(device, known);
    return known;
  };
  return () => {
    const { isOther } = paths();
    const all = [...inventory.values()].filter((device) => !isPart(device) && !isOther(device));
    if (!all.some(({ name }) => name.startsWith("dm-"))) return all;
    const isInside = liesInVolume(machine);
    const inside = new Set(all.filter(isInside));
    return [...inside, ...all.filter((device) => !inside.has(device))];
  };
}
