import type { PhysicalVolume } from "../../../formats/lvm/physical-volume.ts";
import type { GroupMember, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import { printable } from "../../../problems/report.ts";

/** A device with a physical volume on it. */
export interface Candidate<Device> {
  readonly device: Device;
  /** For a report: "/dev/sda2". */
  readonly node: string;
  readonly info: PhysicalVolume;
  /** True if a part of it was probably plugged in by hand. */
  readonly isOnStick: boolean;
  /** True if it lies in an encrypted volume. */
  readonly isInside: boolean;
}

/** A volume group, as the physical volumes that are present describe it. */
export interface JudgedGroup<Device> {
  readonly group: VolumeGroup;
  readonly isInside: boolean;
  /** True if all its physical volumes were probably plugged in by hand. */
  readonly isOnStick: boolean;
  /** True if some of them were: a stick may claim to be one of the machine's disks, which has not appeared yet. */
  readonly isPartlyOnStick: boolean;
  /** By the id of each physical volume that is present. */
  readonly members: ReadonlyMap<string, Device>;
  readonly missing: readonly GroupMember[];
  /** Why nothing of it is activated; null if it may be. */
  readonly refusal: string | null;
  /** Physical volumes that were removed from the group while they were absent. */
  readonly outdated: readonly string[];
}

/**
 * Finds the groups. Those in encrypted volumes and those outside never mix: names and ids are public, so a group outside could
 * otherwise add volumes of its own to one that a key protects.
 */
export function judgeGroups<Device>(candidates: readonly Candidate<Device>[]): readonly JudgedGroup<Device>[] {
  const sides = [true, false].map((isInside) => candidates.filter((candidate) => candidate.isInside === isInside));
  const groups = sides.flatMap((side) =>
    [...new Set(side.flatMap(({ info }) => info.group?.id ?? []))].map((id) => judgeGroup(side, id)),
  );
  return groups.map((group) => (group.refusal === null ? { ...group, refusal: explainClash(group, groups) } : group));
}

function judgeGroup<Device>(side: readonly Candidate<Device>[], id: string): JudgedGroup<Device> {
  const own = side.filter(({ info }) => info.group?.id === id);
  const seqno = Math.max(...own.map(({ info }) => info.group?.seqno ?? 0));
  const holders = own.filter(({ info }) => info.group?.seqno === seqno);
  const group = holders[0]?.info.group;
  if (group === null || group === undefined) throw new Error(`no group ${id}`);
  const present = group.physicalVolumes.map((member) => ({
    member,
    found: side.filter(({ info }) => info.uuid === member.id && (info.group === null || info.group.id === id)),
  }));
  const all = present.flatMap(({ found }) => found);
  return {
    group,
    isInside: all.some(({ isInside }) => isInside),
    isOnStick: all.every(({ isOnStick }) => isOnStick),
    isPartlyOnStick: new Set(all.map(({ isOnStick }) => isOnStick)).size > 1,
    members: new Map(present.flatMap(({ member, found: [first] }) => (first ? [[member.id, first.device]] : []))),
    missing: present.filter(({ found }) => found.length === 0).map(({ member }) => member),
    refusal: explainDoubles(present) ?? explainOrigin(holders, all) ?? explainStatus(group),
    outdated: own.filter((candidate) => !all.includes(candidate)).map(({ node }) => node),
  };
}

function explainDoubles<Device>(
  present: readonly { readonly member: GroupMember; readonly found: readonly Candidate<Device>[] }[],
): string | null {
  const double = present.find(({ found }) => found.length > 1);
  if (double === undefined) return null;
  return `${double.found.map(({ node }) => node).join(" and ")} have the same physical volume UUID, ${double.member.id}`;
}

/** The newest description counts, and anyone can write one: a stick must not redefine what lies on disks of the machine. */
function explainOrigin<Device>(
  holders: readonly Candidate<Device>[],
  all: readonly Candidate<Device>[],
): string | null {
  const [first, ...others] = holders;
  const other = others.find(({ info }) => !Bun.deepEquals(info.group, first?.info.group));
  if (other !== undefined)
    return `${first?.node} and ${other.node} describe it differently, with the same sequence number`;
  const isForged = holders.every(({ isOnStick }) => isOnStick) && all.some(({ isOnStick }) => !isOnStick);
  return isForged
    ? `its newest description is on a stick (${holders.map(({ node }) => node).join(", ")}) and contradicts the machine's disks`
    : null;
}

function explainStatus({ status, lockType, systemId, name }: VolumeGroup): string | null {
  if (status.includes("EXPORTED"))
    return `it is exported: \`vgimport ${name}\` on another system makes it usable again`;
  const isShared = status.includes("CLUSTERED") || (lockType !== null && lockType !== "none");
  if (isShared) return `it is shared between machines (lock type ${printable(lockType ?? "clvm")})`;
  return systemId === null ? null : `it belongs to the system ID "${printable(systemId)}"`;
}

/** A name that two groups have goes to the one in an encrypted volume, else to that on a disk of the machine. */
function explainClash<Device>(group: JudgedGroup<Device>, groups: readonly JudgedGroup<Device>[]): string | null {
  const rivals = groups.filter((other) => other !== group && other.group.name === group.group.name);
  if (rivals.some((other) => other.isInside && !group.isInside)) return "one in an encrypted volume has the same name";
  const equals = rivals.filter((other) => other.isInside === group.isInside);
  if (equals.some(({ isOnStick }) => !isOnStick) && group.isOnStick)
    return "one on the machine's disks has the same name";
  const clash = equals.find(({ isOnStick }) => isOnStick === group.isOnStick);
  return clash === undefined
    ? null
    : `two groups have this name, with the UUIDs ${group.group.id} and ${clash.group.id}`;
}
