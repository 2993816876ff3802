import { splitVolumeName } from "../../../devices/persistent-names.ts";
import type { LogicalVolume, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import { type DeviceSpec, decodeUdevName } from "../../../parameters/device-spec.ts";
import { wantsEncryption } from "../../../plan/crypt/crypt.ts";
import type { StoragePlan } from "../../contract.ts";
import type { JudgedGroup } from "./judge.ts";
import { isMergeTarget, isSnapshot, listVolumes } from "./tables/group-index.ts";
import { volumeOfName } from "./tables/names.ts";

/** A volume by its names, as a path has them. */
export interface VolumeName {
  readonly group: string;
  readonly volume: string;
}

type Wish = Pick<StoragePlan, "roots" | "crypt" | "lvm" | "isForResume">;

/** Says whether a volume is meant. */
export type VolumeTest<Group extends OwnedGroup = OwnedGroup> = (judged: Group, volume: LogicalVolume) => boolean;

/** A group, and whether it is on disks that were probably plugged in by hand. */
type OwnedGroup = Pick<JudgedGroup<unknown>, "group" | "isOnStick">;

/** Lists what a search looks for: the wanted device, encrypted volumes, and where their keys are. */
export function listSpecs({ roots, crypt }: Pick<Wish, "roots" | "crypt">): readonly DeviceSpec[] {
  const places = [...crypt.volumes, crypt.unnamed].flatMap(({ header, keys }) => [header, ...keys]);
  return [...roots, ...crypt.volumes.map(({ device }) => device), ...places.flatMap((place) => place?.device ?? [])];
}

/** Lists the volumes that specs name by their paths. */
export function listNamed(wish: Pick<Wish, "roots" | "crypt">): readonly VolumeName[] {
  return listSpecs(wish).flatMap((spec) => volumeOf(spec) ?? []);
}

/** Returns a test for them. */
export function createNamedTest(wish: Pick<Wish, "roots" | "crypt" | "isForResume">): VolumeTest {
  const names = listNamed(wish);
  return ({ group }, { name: own }) =>
    !mergesTooEarly(wish, group, own) &&
    names.some(({ group: of, volume }) => {
      if (of !== group.name || !volume.startsWith(own)) return false;
      return volume === own || volumeOfName(group.volumes, volume) === own;
    });
}

/** True before a resume for an origin, and its snapshots: its activation begins to write the old state over a filesystem that the hibernated system has mounted. */
function mergesTooEarly({ isForResume = false }: Pick<Wish, "isForResume">, group: VolumeGroup, name: string): boolean {
  return isForResume && isMergeTarget(group, { name });
}

/** Lists the volumes that rd.lvm.lv= names. */
export function listAllowed({ lvm }: Pick<Wish, "lvm">): readonly VolumeName[] {
  return lvm.volumes.map((name) => {
    const [group = "", volume = ""] = name.split("/");
    return { group, volume };
  });
}

/** Says which volume of a group would have the name that a parameter gives to an encrypted one; null if none would. A stick must not keep that from being opened. */
export function createTakenName({ crypt }: Pick<Wish, "crypt">): (group: VolumeGroup) => string | null {
  const names = crypt.volumes.flatMap(({ name }) => splitVolumeName(name ?? "") ?? []);
  return (group) => {
    const taken = names.find(
      (name) => name.group === group.name && group.volumes.some((one) => one.name === name.volume),
    );
    return taken?.volume ?? null;
  };
}

/** Says whether it is in vain to wait for a volume that its group cannot give. */
export type VainTest = (
  judged: Pick<JudgedGroup<unknown>, "group" | "isInside" | "isOnStick" | "missing">,
  volume: string,
) => boolean;

/** Returns a test for the only root, if a path names it and nothing that can still appear changes what the group says of it: a part of the group, or another one of its name. */
export function createVainTest({ roots, crypt }: Pick<Wish, "roots" | "crypt">): VainTest {
  const [only = null] = roots.length === 1 ? roots.map(volumeOf) : [];
  return ({ group, isInside, isOnStick, missing }, volume) => {
    const isFinal = missing.length === 0 && !isOnStick && (isInside || !wantsEncryption(crypt));
    return isFinal && only?.group === group.name && only.volume === volume;
  };
}

/**
 * Returns the tests for the volumes that are activated while the root is not there, one after the other: those that paths name, then
 * those that may hold it, unless `mayHold` rules that out. Before a resume, RAID, caches and thin pools are the last resort (`isLate`),
 * because the kernel writes their metadata (dm-raid has no read-only mode: raid_resume() makes the array writable), and the disk with
 * the swap space may still come.
 */
export function listStages<Group extends OwnedGroup>(
  wish: Wish,
  isLate: boolean,
  mayHold: VolumeTest<Group> = () => true,
): readonly VolumeTest<Group>[] {
  const [isNamed, isOffered] = [createNamedTest(wish), createOfferedTest(wish, mayHold)];
  if (wish.isForResume !== true || isLate) return [isNamed, isOffered];
  return [isNamed, (judged, volume) => !isWrittenWhenActivated(judged.group, volume) && isOffered(judged, volume)];
}

/** True for RAID, caches and thin pools, of which the kernel writes the metadata, and for an origin into which a snapshot is merged. */
export function isWrittenWhenActivated(group: VolumeGroup, volume: LogicalVolume): boolean {
  return volume.segments.some(({ type }) => type !== "striped") || isMergeTarget(group, volume);
}

/** Returns a test for the volumes that may be activated to see what is in them: none if paths name all that is wanted. */
function createOfferedTest<Group extends OwnedGroup>(
  { roots, crypt, lvm, isForResume = false }: Wish,
  mayHold: VolumeTest<Group>,
): VolumeTest<Group> {
  const wanted = [...roots, ...crypt.volumes.map(({ device }) => device)];
  if (roots.length > 0 && !crypt.everyLuks && wanted.every((spec) => volumeOf(spec) !== null)) return () => false;
  const isAny = lvm.groups.length === 0 && lvm.volumes.length === 0;
  // lvm2 sets it for thin snapshots, which show the filesystem of the root a second time, as other snapshots do.
  const isSkipped = ({ status }: LogicalVolume) => status.includes("ACTIVATION_SKIP");
  return (judged, volume) => {
    const { group } = judged;
    if (mergesTooEarly({ isForResume }, group, volume.name)) return false;
    if (lvm.volumes.includes(`${group.name}/${volume.name}`)) return true;
    return (
      !isCrowded({ lvm }, judged) &&
      (isAny || lvm.groups.includes(group.name)) &&
      !isSkipped(volume) &&
      !isSnapshot(group, volume) &&
      mayHold(judged, volume)
    );
  };
}

/** Volumes of a group on a stick that are activated to see what is in them: it may have ten thousand, each of which takes milliseconds. */
const MOST_ON_STICK = 100;

/** True for a group of which only those volumes are activated that a parameter names. */
export function isCrowded({ lvm }: Pick<Wish, "lvm">, { group, isOnStick }: OwnedGroup): boolean {
  return isOnStick && !lvm.groups.includes(group.name) && listVolumes(group).length > MOST_ON_STICK;
}

/** Returns the volume that a path names; null for any other spec. */
export function volumeOf(spec: DeviceSpec): VolumeName | null {
  const own = spec.by === "sibling" ? spec.of : spec;
  if (own.by !== "path") return null;
  const path = decodeUdevName(own.path);
  const [, mapped] = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)([^/]+)$/.exec(path) ?? [];
  if (mapped !== undefined) return splitVolumeName(mapped);
  const [, group, volume] = /^\/dev\/([\w+.-]+)\/([\w+.-]+)$/.exec(path) ?? [];
  return group === undefined || volume === undefined ? null : { group, volume };
}
