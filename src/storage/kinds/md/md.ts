import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Machine } from "../../../machine/machine.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import type { Assembly, DeviceState, Link, Round, StorageContext, StoragePlan } from "../../contract.ts";
import { liesOnStick, restsOn } from "../../trust.ts";
import { createGrace, createStickGrace } from "../grace.ts";
import { listParts } from "../pools.ts";
import { describeArray, describeLack } from "./describe.ts";
import { createGroups, type Group, isPartOf, isShownIn } from "./groups.ts";
import { unlinkArray } from "./names.ts";
import { createStarter } from "./start.ts";

type ArrayPlan = Pick<StoragePlan, "arrays" | "rootTimeoutMs">;

/**
 * Starts arrays of Linux RAID by the superblocks of their members: a complete one at once, one with a missing member when that has
 * been waited for. They write nothing until something writes to them.
 */
export function startArrays(context: StorageContext, { arrays, rootTimeoutMs }: ArrayPlan): Assembly {
  const { machine } = context;
  const starter = createStarter(context, arrays.names);
  const { list, groupOf, close } = createGroups(context, starter.isUnderWay);
  const ours: string[] = [];
  let claimed: readonly BlockDevice[] = [];
  const waitOf = createWaits(machine, { rootTimeoutMs });
  const isWanted = ({ uuid }: Group) => !arrays.isOff && (arrays.uuids.length === 0 || arrays.uuids.includes(uuid));

  /** Without the array, a partition of a member is one like any other. */
  const isUnused = (group: Group, device: BlockDevice) =>
    group.started === null && !isWanted(group) && group.members.some((member) => isShownIn(member, device));

  function start(group: Group): Round {
    const started = starter.start(group);
    if (started === null) return "idle";
    ours.push(started);
    return "changed";
  }

  function advanceOne(group: Group, candidate: BlockDevice | null): Round {
    if (starter.isUnderWay(group)) return start(group);
    if (group.started !== null || starter.isRefused(group)) return "idle";
    const isNeeded = candidate === null || isPartOf(group, candidate) || isWhole(machine, group);
    const wait = isNeeded ? waitOf(group) : null;
    if (wait === null) return "idle";
    return wait.leftMs > 0 ? wait : start(group);
  }

  return {
    advance(candidate) {
      let result: Round = "idle";
      for (const group of sticksLast(machine, list().filter(isWanted))) {
        const round = advanceOne(group, candidate);
        if (round === "changed") return round;
        if (round !== "idle") result = round;
      }
      return result;
    },
    links: () => list().flatMap((group) => linksOf(group, context.present())),
    state(device) {
      const group = groupOf(device);
      return group === null || isUnused(group, device) ? null : describeState(group, ours, starter.isUnderWay(group));
    },
    isShown(device) {
      const group = groupOf(device);
      if (group === null || isUnused(group, device)) return false;
      return group.members.some((member) => isShownIn(member, device));
    },
    problems: starter.problems,
    claim(device) {
      claimed = listParts(device, context.present());
    },
    stopUnused() {
      for (const name of stopUnused(machine, ours, claimed)) ours.splice(ours.indexOf(name), 1);
    },
    close() {
      close();
      starter.close();
    },
  };
}

/** Returns the function that says what an array waits for before it is started, and how long; null: it cannot be started as it is. */
function createWaits(machine: Machine, plan: Pick<StoragePlan, "rootTimeoutMs">) {
  const leftOfGrace = createGrace(machine.nowMs, plan);
  const leftForDisk = createStickGrace(machine.nowMs, plan);
  return (group: Group): { readonly text: string; readonly leftMs: number } | null => {
    const { state, uuid, members } = group;
    const array = describeArray(members[0].info);
    if (state.kind === "degraded") return { text: `${array}: ${describeLack(state)}`, leftMs: leftOfGrace(uuid) };
    if (state.kind !== "complete") return null;
    const text = `${array}: a part of it is on a stick, in place of a disk that may still appear`;
    return { text, leftMs: isWhole(machine, group) ? 0 : leftForDisk(uuid) };
  };
}

/** False if members are missing, or a stick may claim to be a disk of the machine that has not appeared yet. */
function isWhole(machine: Machine, { state, members }: Group): boolean {
  const places = new Set(members.map(({ device }) => liesOnStick(machine, device.name)));
  return state.kind === "complete" && places.size === 1;
}

/** A name or number goes to the first array that asks for it. */
function sticksLast(machine: Machine, groups: readonly Group[]): readonly Group[] {
  if (groups.length < 2) return groups;
  const isOnStick = ({ members }: Group) => members.some(({ device }) => liesOnStick(machine, device.name));
  return [...groups.filter((group) => !isOnStick(group)), ...groups.filter(isOnStick)];
}

/** Returns the names of those that are stopped now. */
function stopUnused(machine: Machine, ours: readonly string[], claimed: readonly BlockDevice[]): readonly string[] {
  return ours.filter((name) => {
    if (claimed.some(restsOn(machine, [name]))) return false;
    return orIfRefused(() => {
      machine.stopArray(name);
      unlinkArray(machine, name);
      return true;
    }, false);
  });
}

function linksOf({ members, started }: Group, devices: readonly BlockDevice[]): readonly Link[] {
  if (started === null) return [];
  const partitions = devices.flatMap((device): readonly Link[] => {
    if (device.partition === null || !members.some((member) => isShownIn(member, device))) return [];
    return [{ from: [device.name], to: `${started}p${device.partition.index}`, isReplacement: true }];
  });
  return [{ from: members.map(({ device }) => device.name), to: started, isReplacement: true }, ...partitions];
}

function describeState({ started, state, members }: Group, ours: readonly string[], isUnderWay: boolean): DeviceState {
  const array = describeArray(members[0].info);
  if (started !== null) return { kind: "open", text: `a member of ${array}`, closes: ours.includes(started) };
  if (isUnderWay) return { kind: "incomplete", text: `${array}: a member does not answer` };
  const isRefused = state.kind === "refused";
  return { kind: "incomplete", text: `${array}: ${isRefused ? state.why : describeLack(state)}`, isRefused };
}
