import { splitVolumeName } from "../../../devices/persistent-names.ts";
import type { LogicalVolume, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import { type DeviceSpec, decodeUdevName } from "../../../parameters/device-spec.ts";
import type { StoragePlan } from "../../contract.ts";

/** A volume by its names, as a path has them. */
interface VolumeName {
  readonly group: string;
  readonly volume: string;
}

type Wish = Pick<StoragePlan, "roots" | "crypt" | "lvm">;

/** Says whether a volume is meant. */
export type VolumeTest = (group: VolumeGroup, volume: LogicalVolume) => boolean;

/** Returns a test for the volumes that specs name by their paths: the wanted device, encrypted volumes, and where their keys are. */
export function createNamedTest({ roots, crypt }: Wish): VolumeTest {
  const places = [...crypt.volumes, crypt.unnamed].flatMap(({ header, keys }) => [header, ...keys]);
  const specs = [
    ...roots,
    ...crypt.volumes.map(({ device }) => device),
    ...places.flatMap((place) => place?.device ?? []),
  ];
  const names = specs.flatMap((spec) => volumeOf(spec) ?? []);
  return (group, volume) => names.some((name) => name.group === group.name && name.volume === volume.name);
}

/** Returns a test for the volumes that may be activated to see what is in them: none if paths name all that is wanted. */
export function createOfferedTest({ roots, crypt, lvm }: Wish): VolumeTest {
  const wanted = [...roots, ...crypt.volumes.map(({ device }) => device)];
  if (roots.length > 0 && !crypt.everyLuks && wanted.every((spec) => volumeOf(spec) !== null)) return () => false;
  const isAny = lvm.groups.length === 0 && lvm.volumes.length === 0;
  return (group, volume) =>
    isAny || lvm.groups.includes(group.name) || lvm.volumes.includes(`${group.name}/${volume.name}`);
}

function volumeOf(spec: DeviceSpec): VolumeName | null {
  const own = spec.by === "sibling" ? spec.of : spec;
  if (own.by !== "path") return null;
  const path = decodeUdevName(own.path);
  const [, mapped] = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)([^/]+)$/.exec(path) ?? [];
  if (mapped !== undefined) return splitVolumeName(mapped);
  const [, group, volume] = /^\/dev\/([\w+.-]+)\/([\w+.-]+)$/.exec(path) ?? [];
  return group === undefined || volume === undefined ? null : { group, volume };
}
