import type { BlockDevice } from "../../../devices/block-devices.ts";
import { problem } from "../../../problems/problem.ts";
import type { Assembly, Link, Round, StorageContext, StoragePlan, Trouble } from "../../contract.ts";
import { restsOn } from "../../trust.ts";
import { createGrace, createStickGrace } from "../grace.ts";
import { listParts } from "../pools.ts";
import type { JudgedGroup } from "./judge.ts";
import { describeAbsent, describeStrays } from "./lacks.ts";
import { linkVolume, noteArrays } from "./links.ts";
import { createMembers } from "./members.ts";
import { createPreview } from "./preview.ts";
import { listVolumes } from "./tables/group-index.ts";
import { volumeOfName } from "./tables/names.ts";
import { type ActiveVolume, createVolumes } from "./volumes.ts";
import {
  createNamedTest,
  createTakenName,
  createVainTest,
  isCrowded,
  listAllowed,
  listNamed,
  listStages,
  type VainTest,
  type VolumeName,
  type VolumeTest,
} from "./wanted.ts";

type Group = JudgedGroup<BlockDevice>;

/**
 * Activates logical volumes of LVM by the metadata of their group, to which nothing is written: those that a path names, and if the
 * root is still not there, the others. What the root is not in is deactivated again.
 */
export function startVolumeGroups(context: StorageContext, plan: StoragePlan): Assembly {
  const members = createMembers(context);
  const volumes = createVolumes(context, plan.lvm);
  const isNamed = createNamedTest(plan);
  let stages = listStages(plan, false, createPreview(context, plan));
  const takenName = createTakenName(plan);
  const isVain = createVainTest(plan);
  const leftOfGrace = createGrace(context.machine.nowMs, plan);
  const leftForDisk = createStickGrace(context.machine.nowMs, plan);
  let claimed: readonly BlockDevice[] = [];
  const list = () => (plan.lvm.isOff ? [] : members.list().map((judged) => refuseTaken(judged, takenName)));
  // What someone may have plugged in is looked at only if the machine's own disks do not have the root.
  const inOrder = () => list().sort((one, other) => Number(one.isOnStick) - Number(other.isOnStick));
  const isUsed = ({ device }: ActiveVolume) => claimed.some(restsOn(context.machine, [device]));

  function advanceOne(judged: Group, isWanted: VolumeTest<Group>): Round {
    const { group, refusal, missing } = judged;
    if (refusal !== null) return "idle";
    const wanted = listVolumes(group).filter((one) => isWanted(judged, one) && volumes.isOpenable(judged, one));
    if (wanted.length === 0) return "idle";
    const leftOf = missing.length === 0 ? leftForDisk : leftOfGrace;
    const leftMs = missing.length > 0 || judged.isPartlyOnStick ? leftOf(group.id) : 0;
    if (leftMs > 0) return { text: describeLack(judged), leftMs };
    return volumes.activateAll(judged, wanted) ? "changed" : "idle";
  }

  function advanceAll(tests: readonly VolumeTest<Group>[]): Round {
    // A group may have been activated before the one appeared that is used in its place, and has its names.
    const refused = list().filter(({ refusal }) => refusal !== null);
    if (volumes.deactivateAll((one) => refused.some((judged) => isOf(one, judged)))) return "changed";
    let result: Round = "idle";
    for (const [isWanted, judged] of tests.flatMap((test) => inOrder().map((group) => [test, group] as const))) {
      const round = advanceOne(judged, isWanted);
      if (round === "changed") return round;
      if (round !== "idle") result = round;
    }
    return result;
  }

  return {
    advance: (candidate) => advanceAll(candidate === null ? stages : [isNamed]),
    lastResort() {
      // What was ruled out before is activated too: a report lists all that there is.
      stages = listStages(plan, true);
    },
    links: () => [...volumes.list().map(linkOf), ...volumes.listShown()],
    state(device) {
      const groups = new Set(volumes.list().map(({ judged }) => judged));
      const own = [...groups].find((judged) => [...judged.members.values()].includes(device));
      const text = `a physical volume of "${own?.group.name}"`;
      return own === undefined ? null : { kind: "open", text, closes: true };
    },
    isShown: ({ name }) => volumes.isShown(name),
    problems: () => [...describeGroups(list(), members.strays(), plan), ...volumes.problems(isVain)],
    claim(device) {
      claimed = listParts(device, context.present());
      for (const { judged, volume, device: own } of volumes.list().filter(isUsed)) {
        linkVolume(context, judged.group, volume, own);
        noteArrays(context, judged.members.values());
      }
    },
    close() {
      members.close();
      volumes.deactivateAll((one) => !isUsed(one));
    },
  };
}

function refuseTaken(judged: Group, takenName: ReturnType<typeof createTakenName>): Group {
  const taken = judged.refusal === null ? takenName(judged.group) : null;
  return taken === null ? judged : { ...judged, refusal: `an encrypted volume has the name of its volume ${taken}` };
}

function isOf(one: ActiveVolume, { group, isInside }: Group): boolean {
  return one.judged.group.id === group.id && one.judged.isInside === isInside;
}

function linkOf({ judged, device }: ActiveVolume): Link {
  const from = [...judged.members.values()].map(({ name }) => name);
  return { from, to: device, isReplacement: false };
}

function describeLack({ group, members, missing }: Group): string {
  if (missing.length === 0)
    return `the volume group "${group.name}": a part of it is on a stick, in place of a disk that may still appear`;
  const count = `${members.size} of ${members.size + missing.length}`;
  const verb = missing.length === 1 ? "is" : "are";
  const ids = missing.map(({ id }) => id).join(" and ");
  return `the volume group "${group.name}": ${count} physical volumes are present: ${ids} ${verb} missing`;
}

function describeRefusal(judged: Group, plan: StoragePlan): readonly Trouble[] {
  const { group, refusal } = judged;
  const crowd = `it is on a stick and has ${group.volumes.length} volumes: name one with root=/dev/GROUP/VOLUME, or the group with rd.lvm.vg=`;
  const why = refusal ?? (isCrowded(plan, judged) ? crowd : null);
  return why === null ? [] : [{ error: problem("group-refused", { group: group.name, why }), isFatal: false }];
}

function describeGroups(groups: readonly Group[], strays: readonly BlockDevice[], plan: StoragePlan) {
  const named = [...listNamed(plan), ...listAllowed(plan)];
  const isVain = createVainTest(plan);
  return [
    ...groups.flatMap((judged) => [...describeRefusal(judged, plan), ...describeUnknown(judged, named, isVain)]),
    ...describeStrays(strays),
    ...describeAbsent(named, groups, strays),
  ];
}

/** A path may have a mistake in the volume's name. */
function describeUnknown(judged: Group, named: readonly VolumeName[], isVain: VainTest): readonly Trouble[] {
  const { group, refusal } = judged;
  const all = listVolumes(group);
  const volumes = all.map(({ name }) => name);
  const ofGroup = named.filter((name) => name.group === group.name).map(({ volume }) => volumeOfName(all, volume));
  const unknown = [...new Set(ofGroup)].filter((volume) => !volumes.includes(volume));
  if (refusal !== null || unknown.length === 0) return [];
  return unknown.map((volume) => ({
    error: problem("volume-unknown", { group: group.name, volume, volumes }),
    isFatal: isVain(judged, volume),
  }));
}
