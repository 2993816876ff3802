import type { BlockDevice } from "../../../devices/block-devices.ts";
import { createMemberReads } from "../../../devices/member-reads.ts";
import { ofType } from "../../../devices/of-type.ts";
import { NoAnswerError, type PatientSource } from "../../../devices/patient-source.ts";
import { type ArrayMember, readArrayMember } from "../../../formats/containers/md-member.ts";
import type { Machine } from "../../../machine/machine.ts";
import { isErrno } from "../../../problems/errors.ts";
import type { StorageContext } from "../../contract.ts";
import { listArrays, listBelow } from "../../device-mapper/mapping.ts";
import { liesOnStick } from "../../trust.ts";
import { type ArrayState, judgeArray, type Member } from "./array.ts";

/** The members of one array that are present. */
export interface Group {
  readonly uuid: string;
  readonly members: readonly [Member, ...Member[]];
  readonly state: ArrayState;
  /** The kernel's name of the array; null: it is not started. */
  readonly started: string | null;
}

/** Finds the arrays among the devices that are present; one that is being started counts as not started. */
export function createGroups(
  { machine, present, named }: Pick<StorageContext, "machine" | "present" | "named">,
  isUnderWay: (group: Pick<Group, "uuid">) => boolean,
) {
  const known = new WeakMap<BlockDevice, Member | null>();
  const reads = createMemberReads(machine);

  /** null also while the device does not answer. */
  function readMember(device: BlockDevice): Member | null {
    const cached = known.get(device);
    if (cached !== undefined || device.facts.type !== "linux_raid_member") return cached ?? null;
    const info = readSuperblock(reads.sourceOf(device));
    if (info === "no answer") return null;
    const member = info === null ? null : { device, info };
    known.set(device, member);
    reads.stop(device);
    return member;
  }

  function list(): readonly Group[] {
    const devices = present();
    reads.keepOnly(devices);
    const members = ofType(devices, "linux_raid_member").flatMap((device) => readMember(device) ?? []);
    return [...Map.groupBy(members, ({ info }) => info.uuid)].flatMap(([uuid, [first, ...others]]) => {
      if (first === undefined) return [];
      const group = [first, ...others] as const;
      return {
        uuid,
        members: group,
        state: judgeOrigin(machine, judgeArray(group)),
        started: isUnderWay({ uuid }) ? null : findStarted(machine, group),
      };
    });
  }

  return {
    list,
    /** Ends the reads of members that do not answer. */
    close: () => reads.keepOnly([]),
    /** The array that a device is a member of, or a partition of a member, which is the array's. */
    groupOf(device: BlockDevice): Group | null {
      // Asked for each device of a machine that may have hundreds, so it must not look at all of them.
      const disk = device.partition === null ? null : named(device.partition.disk);
      const isMember = readMember(device) !== null || (disk !== null && readMember(disk) !== null);
      return isMember ? (list().find((group) => isPartOf(group, device)) ?? null) : null;
    },
  };
}

/** null if it cannot be read: the device is gone. */
function readSuperblock(source: PatientSource): ArrayMember | null | "no answer" {
  try {
    const size = source.size();
    return source.gather((read) => readArrayMember({ size, read }));
  } catch (error) {
    if (error instanceof NoAnswerError) return "no answer";
    if (!isErrno(error)) throw error;
    return null;
  }
}

/** True for a member, and for what the kernel shows as a partition of one. */
export function isPartOf({ members }: Pick<Group, "members">, device: BlockDevice): boolean {
  return members.some((member) => member.device === device || isShownIn(member, device));
}

/** True for a partition of the array, seen through one member: the data of these versions begin with the member's first byte. Nothing may be written to one member alone. */
export function isShownIn({ device: { name }, info }: Member, { partition }: BlockDevice): boolean {
  return partition?.disk === name && (info.metadata === "0.90" || info.metadata === "1.0");
}

/** UUID and event count are no proof: a stick must not push the members of the machine aside, as it must not by the label of the root. */
function judgeOrigin(machine: Machine, state: ArrayState): ArrayState {
  if (state.kind === "refused" || state.stale.length === 0) return state;
  const isOnStick = ({ device }: Member) => liesOnStick(machine, device.name);
  if (!state.used.every(isOnStick) || state.stale.every(isOnStick)) return state;
  return {
    ...state,
    kind: "refused",
    why: "its newest members are on a stick, and those of the machine are out of date",
  };
}

/** The running array that one of the members belongs to; levain, the kernel or a person may have started it. */
function findStarted(machine: Machine, members: readonly Member[]): string | null {
  return (
    listArrays(machine).find((name) => members.some(({ device }) => listBelow(machine, name).includes(device.name))) ??
    null
  );
}
