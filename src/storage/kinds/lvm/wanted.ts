import { splitVolumeName } from "../../../devices/persistent-names.ts";
import type { LogicalVolume, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import { type DeviceSpec, decodeUdevName } from "../../../parameters/device-spec.ts";
import type { StoragePlan } from "../../contract.ts";

/** A volume by its names, as a path has them. */
export interface VolumeName {
  readonly group: string;
  readonly volume: string;
}

type Wish = Pick<StoragePlan, "roots" | "crypt" | "lvm">;

/** Says whether a volume is meant. */
export type VolumeTest = (group: VolumeGroup, volume: LogicalVolume) => boolean;

/** Lists the volumes that specs name by their paths: the wanted device, encrypted volumes, and where their keys are. */
export function listNamed({ roots, crypt }: Pick<Wish, "roots" | "crypt">): readonly VolumeName[] {
  const places = [...crypt.volumes, crypt.unnamed].flatMap(({ header, keys }) => [header, ...keys]);
  const specs = [
    ...roots,
    ...crypt.volumes.map(({ device }) => device),
    ...places.flatMap((place) => place?.device ?? []),
  ];
  return specs.flatMap((spec) => volumeOf(spec) ?? []);
}

/** Returns a test for them. */
export function createNamedTest(wish: Pick<Wish, "roots" | "crypt">): VolumeTest {
  const names = listNamed(wish);
  return (group, volume) => names.some((name) => name.group === group.name && name.volume === volume.name);
}

/** Returns a test for the volume that the root has to be: its path names it, and there is no other root. */
export function createOnlyRootTest({ roots }: Pick<Wish, "roots">): (name: VolumeName) => boolean {
  const [only = null] = roots.length === 1 ? roots.map(volumeOf) : [];
  return ({ group, volume }) => only?.group === group && only.volume === volume;
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
