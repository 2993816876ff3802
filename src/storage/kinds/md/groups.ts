import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { readArrayMember } from "../../../formats/containers/md-member.ts";
import type { Machine } from "../../../machine/machine.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import type { StorageContext } from "../../contract.ts";
import { listArrays, listBelow } from "../../device-mapper/mapping.ts";
import { type ArrayState, judgeArray, type Member } from "./array.ts";
import { liesOnStick } from "./names.ts";

/** The members of one array that are present. */
export interface Group {
  readonly uuid: string;
  readonly members: readonly [Member, ...Member[]];
  readonly state: ArrayState;
  /** The kernel's name of the array; null: it is not started. */
  readonly started: string | null;
}

/** Finds the arrays among the devices that are present. */
export function createGroups({ machine, present }: Pick<StorageContext, "machine" | "present">) {
  const known = new WeakMap<BlockDevice, Member | null>();

  function readMember(device: BlockDevice): Member | null {
    const cached = known.get(device);
    if (cached !== undefined || device.facts.type !== "linux_raid_member") return cached ?? null;
    // null if it cannot be read: the device is gone.
    const info = orIfRefused(() => withReader(machine, device.node, readArrayMember), null);
    const member = info === null ? null : { device, info };
    known.set(device, member);
    return member;
  }

  function list(): readonly Group[] {
    const members = present().flatMap((device) => readMember(device) ?? []);
    return [...Map.groupBy(members, ({ info }) => info.uuid)].flatMap(([uuid, [first, ...others]]) => {
      if (first === undefined) return [];
      const group = [first, ...others] as const;
      return {
        uuid,
        members: group,
        state: judgeOrigin(machine, judgeArray(group)),
        started: findStarted(machine, group),
      };
    });
  }

  return {
    list,
    /** The array that a device is a member of, or a partition of a member, which is the array's. */
    groupOf(device: BlockDevice): Group | null {
      const disk = present().find(({ name }) => name === device.partition?.disk);
      const isMember = [device, ...(disk === undefined ? [] : [disk])].some((one) => readMember(one) !== null);
      return isMember ? (list().find((group) => isPartOf(group, device)) ?? null) : null;
    },
  };
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
