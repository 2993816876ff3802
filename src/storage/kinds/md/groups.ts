import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { readArrayMember } from "../../../formats/containers/md-member.ts";
import type { Machine } from "../../../machine/machine.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import type { StorageContext } from "../../contract.ts";
import { listArrays, listBelow } from "../../device-mapper/mapping.ts";
import { type ArrayState, judgeArray, type Member } from "./array.ts";

/** The members of one array that are present. */
export interface Group {
  readonly uuid: string;
  readonly members: readonly [Member, ...Member[]];
  readonly state: ArrayState;
  /** The kernel's name of the array; null: it is not started. */
  readonly started: string | null;
}

/** Finds the arrays among the devices that are present. */
export function createGroups({ machine, devices }: Pick<StorageContext, "machine" | "devices">) {
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
    const members = devices().flatMap((device) => readMember(device) ?? []);
    return [...Map.groupBy(members, ({ info }) => info.uuid)].flatMap(([uuid, [first, ...others]]) => {
      if (first === undefined) return [];
      const group = [first, ...others] as const;
      return { uuid, members: group, state: judgeArray(group), started: findStarted(machine, group) };
    });
  }

  return {
    list,
    /** The array that a device is a member of. */
    groupOf: (device: BlockDevice) =>
      readMember(device) === null
        ? null
        : (list().find(({ members }) => members.some((one) => one.device === device)) ?? null),
  };
}

/** The array that the kernel has made of one of the members, whoever has started it. */
function findStarted(machine: Machine, members: readonly Member[]): string | null {
  return (
    listArrays(machine).find((name) => members.some(({ device }) => listBelow(machine, name).includes(device.name))) ??
    null
  );
}
