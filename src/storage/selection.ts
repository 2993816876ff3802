import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import { isPartOfVolume, listLinks } from "../devices/persistent-names.ts";
import { rememberEach } from "../devices/remember.ts";
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
  { inventory, list, isUnderWay }: Pick<DeviceProbes, "inventory" | "list" | "isUnderWay">,
  assemblies: Assemblies,
): Selection {
  const { machine } = context;
  const content = createContentSearch(context);
  const paths = createDiskPaths(machine, list);
  const fixedLinks = rememberEach((device: BlockDevice) => listLinks(machine, device));
  const look: Look = {
    name: createNamer(machine, inventory),
    links: (device) => (hasFixedLinks(device) ? fixedLinks(device) : listLinks(machine, device)),
    holds: content.holds,
  };
  const present = createPresence(machine, list, paths);
  const mayBeShown = createShownTest(inventory);
  const devices = () => {
    const all = present();
    return mayBeShown(all) ? all.filter((device) => !assemblies.isShown(device)) : all;
  };
  const match = (spec: DeviceSpec, among: readonly BlockDevice[]) => {
    // A name may be that of the path that is not used.
    const { others, used } = paths();
    const all = spec.by === "file" || others.length === 0 ? among : [...among, ...others];
    return [...new Set(matchDevices(spec, all, look).map(used))];
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
      list().flatMap((device) => {
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

/** True for a disk, whose links come from what its driver knew when it appeared; those of mappings and arrays are made later. */
const hasFixedLinks = ({ name }: BlockDevice) => /^(?:sd|vd|nvme)/.test(name);
const isMapping = ({ name }: BlockDevice) => name.startsWith("dm-");

/** Returns a test for lists of devices: may one of them show a part of another one? Only mappings do, and partitions of a disk that is itself a member of something. */
function createShownTest(inventory: DeviceProbes["inventory"]): (devices: readonly BlockDevice[]) => boolean {
  const may = (device: BlockDevice) =>
    isMapping(device) || (device.partition !== null && inventory.get(device.partition.disk)?.facts.type !== null);
  let known: readonly BlockDevice[] = [];
  let found = false;
  return (devices) => {
    if (devices !== known) [known, found] = [devices, devices.some(may)];
    return found;
  };
}

/** Lists what is present and no part of a volume or another path to a disk; what lies in encrypted volumes comes first. */
function createPresence(machine: Machine, list: DeviceProbes["list"], paths: () => DiskPaths): Selection["present"] {
  const isPart = rememberEach((device: BlockDevice) => isPartOfVolume(machine, device));
  let known: readonly BlockDevice[] = [];
  /** null: they include mappings, and what these lie on may change. */
  let found: readonly BlockDevice[] | null = [];
  return () => {
    const { others, isOther } = paths();
    if (found !== null && list() === known) return found;
    known = list();
    const hasMappings = known.some(isMapping);
    const isUsed = (device: BlockDevice) => !isPart(device) && !isOther(device);
    const all = hasMappings || others.length > 0 ? known.filter(isUsed) : known;
    found = hasMappings ? null : all;
    if (found !== null) return found;
    const isInside = liesInVolume(machine);
    const inside = new Set(all.filter(isInside));
    return [...inside, ...all.filter((device) => !inside.has(device))];
  };
}
