import type { BlockDevice } from "../../../devices/block-devices.ts";
import { ofType } from "../../../devices/of-type.ts";
import { FIRMWARE_RAID } from "../../../formats/contents.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { BootError } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import type { Assembly, DeviceState, Link, Round, StorageContext, StoragePlan } from "../../contract.ts";
import { listBcaches } from "../../device-mapper/bcache.ts";
import { listArrays, listBelow } from "../../device-mapper/mapping.ts";
import { liesOnStick, restsOn } from "../../trust.ts";
import { createGrace } from "../grace.ts";
import { listParts } from "../pools.ts";
import { type Container, containersOf, findVolumes, listContainers } from "./arrays.ts";
import { createMdadm, type Mdadm } from "./mdadm.ts";

/** The levels of the controllers' formats; the kernel would ask modprobe(8) for them, which an initramfs need not have. */
const MODULES = ["md-mod", "raid0", "raid1", "raid10", "raid456"];

/** All firmware RAIDs share one time of grace: their formats say in different ways what belongs together. */
const ANY = "firmware";

/**
 * Has mdadm start the arrays of disk controllers whose formats it knows (IMSM, DDF), if the image has it: the kernel keeps no
 * superblock of them, so that mdadm's mdmon writes what changes. It may write at once, so before a resume that is the last resort if the
 * swap space is not seen on a member.
 */
export function startFirmwareRaid(
  context: StorageContext,
  { arrays, rootTimeoutMs, isForResume = false }: Pick<StoragePlan, "arrays" | "rootTimeoutMs" | "isForResume">,
): Assembly {
  const { machine, drivers, present, named } = context;
  const mdadm = createMdadm(context);
  const leave = createLeaving(context, mdadm);
  const leftOfGrace = createGrace(machine.nowMs, { rootTimeoutMs });
  const kindOf = (device: BlockDevice) => (arrays.isOff ? null : FIRMWARE_RAID[device.facts.type ?? ""]) ?? null;
  const diskOf = (device: BlockDevice) => (device.partition === null ? null : named(device.partition.disk));
  let isLate = !isForResume;
  const isMember = (device: BlockDevice) => kindOf(device) !== null && device.partition === null;
  const members = () => listOfTypes(present()).filter(isMember);
  // A stick that claims to be a newer member would have mdadm leave out the machine's disks.
  const offered = () => members().filter(({ name }) => !liesOnStick(machine, name));
  const waiting = () => members().filter(({ name }) => findVolumes(machine, name).length === 0);

  function addMembers(): Round {
    const next = offered().find((device) => !mdadm.hasSeen(device));
    if (next === undefined) return mdadm.advance();
    for (const module of MODULES) drivers.loadByName(module);
    return mdadm.add(next);
  }

  /** Those that mdadm keeps because a member is missing: it starts them when that has been waited for. */
  function startDegraded(candidate: BlockDevice | null): Round {
    const lacking = waiting().filter(({ name }) => containersOf(machine, name).some(mdadm.canForce));
    const isNeeded = candidate === null || lacking.some((device) => isPartOf(device, candidate));
    const [first] = lacking;
    if (first === undefined || !isNeeded) return "idle";
    const leftMs = leftOfGrace(ANY);
    if (leftMs > 0) return { text: `the members of ${describe(first)}`, leftMs };
    return mdadm.force(containersOf(machine, first.name).find(mdadm.canForce) ?? "");
  }

  const describe = (device: BlockDevice) => kindOf(device) ?? "";
  const isPartOf = (member: BlockDevice, device: BlockDevice) => member === device || diskOf(device) === member;

  const troubleOf = (device: BlockDevice) => explain(machine, mdadm, device, describe(device));

  return {
    advance(candidate) {
      const needed = members().filter((member) => isLate || (candidate !== null && isPartOf(member, candidate)));
      if (needed.length === 0 || !mdadm.isThere()) return "idle";
      const round = addMembers();
      return round === "idle" ? startDegraded(candidate) : round;
    },
    lastResort() {
      isLate = true;
    },
    links: () => linksOf(machine, members(), present()),
    state(device) {
      const member = isMember(device) ? device : diskOf(device);
      if (member === null || !isMember(member)) return null;
      return describeState(describe(member), findVolumes(machine, member.name), troubleOf(member));
    },
    isShown(device) {
      const disk = diskOf(device);
      return disk !== null && isMember(disk);
    },
    // One is enough: the others of an array have the same.
    problems: () =>
      members()
        .flatMap((member) => troubleOf(member) ?? [])
        .slice(0, 1)
        .map((error) => ({ error, isFatal: false, isCause: true })),
    dueMs: mdadm.dueMs,
    ...leave,
  };
}

/** Stops the containers that were made during the search and that the root is not in, with their volumes, as levain's own arrays are stopped. */
function createLeaving(
  { machine, present }: StorageContext,
  mdadm: Mdadm,
): Required<Pick<Assembly, "claim" | "stopUnused" | "close">> {
  const before = listArrays(machine);
  let claimed: readonly BlockDevice[] = [];
  return {
    claim(device) {
      claimed = listParts(device, present());
    },
    stopUnused() {
      mdadm.close();
      const isUsed = ({ volumes }: Container) => claimed.some(restsOn(machine, volumes)) || isHeld(machine, volumes);
      const idle = listContainers(machine).filter((one) => !before.includes(one.name) && !isUsed(one));
      const names = idle.flatMap(({ name, volumes }) => [...volumes, name]);
      if (names.length > 0 && mdadm.isThere()) mdadm.stop(names);
    },
    close: mdadm.close,
  };
}

/** True if another device was made of one of these, by the kernel's names. */
function isHeld(machine: Machine, volumes: readonly string[]): boolean {
  const isOn = (name: string): boolean =>
    listBelow(machine, name).some((below) => volumes.includes(below) || isOn(below));
  return [...machine.listMappings().map(({ device }) => device), ...listArrays(machine), ...listBcaches(machine)].some(
    isOn,
  );
}

function listOfTypes(devices: readonly BlockDevice[]): readonly BlockDevice[] {
  return Object.keys(FIRMWARE_RAID).flatMap((type) => ofType(devices, type));
}

/** Why a member is of no use; null if it is in use, or others are missing. */
function explain(machine: Machine, mdadm: Mdadm, device: BlockDevice, raid: string): BootError | null {
  const facts = { node: device.node, raid };
  if (findVolumes(machine, device.name).length > 0) return null;
  if (!mdadm.isThere()) return problem("no-mdadm", facts);
  const why = liesOnStick(machine, device.name) ? "it is on a removable disk" : mdadm.whyNot(device);
  return why === null ? null : problem("firmware-raid-refused", { ...facts, why });
}

/** A partition that the kernel shows in a member is that of the volume. */
function linksOf(machine: Machine, members: readonly BlockDevice[], devices: readonly BlockDevice[]): readonly Link[] {
  return members.flatMap(({ name }) =>
    findVolumes(machine, name)
      .slice(0, 1)
      .flatMap((volume): readonly Link[] => {
        const partitions = devices.flatMap(({ name: part, partition }): readonly Link[] => {
          if (partition?.disk !== name) return [];
          return [{ from: [part], to: `${volume}p${partition.index}`, isReplacement: true }];
        });
        return [{ from: [name], to: volume, isReplacement: true }, ...partitions];
      }),
  );
}

function describeState(raid: string, [volume]: readonly string[], trouble: BootError | null): DeviceState {
  if (volume !== undefined)
    return { kind: "open", text: `a member of ${raid}, in use as /dev/${volume}`, closes: false };
  if (trouble !== null) return { kind: "closed", isWanted: true, text: `a member of ${raid}, which is not started` };
  return { kind: "incomplete", text: `${raid}: members are missing` };
}
