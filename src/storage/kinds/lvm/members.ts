import type { BlockDevice } from "../../../devices/block-devices.ts";
import { createMemberReads } from "../../../devices/member-reads.ts";
import { ofType } from "../../../devices/of-type.ts";
import { NoAnswerError, type PatientSource } from "../../../devices/patient-source.ts";
import { type PhysicalVolume, readPhysicalVolume } from "../../../formats/lvm/physical-volume.ts";
import type { ReadPlace } from "../../../machine/async.ts";
import type { Machine } from "../../../machine/machine.ts";
import { isErrno } from "../../../problems/errors.ts";
import type { StorageContext } from "../../contract.ts";
import { liesInVolume, liesOnStick } from "../../trust.ts";
import { type JudgedGroup, judgeGroups } from "./judge.ts";
import { VOLUME_UUID } from "./tables/names.ts";

/** Reads the physical volumes among the devices that are present, each once. */
export function createMembers({ machine, devices, voice }: Pick<StorageContext, "machine" | "devices" | "voice">) {
  const known = new WeakMap<BlockDevice, PhysicalVolume | null>();
  const isOnStick = createStickTest(machine);
  const reads = createMemberReads(machine);
  /** Where the last physical volume was read. Those of a group are laid out alike, so that one order to a worker reads the next one. */
  let places: readonly ReadPlace[] = [];
  let strays: readonly BlockDevice[] = [];
  let judged: { readonly of: readonly string[]; readonly groups: readonly JudgedGroup<BlockDevice>[] } | null = null;

  /** null also while the device does not answer. */
  function readMember(device: BlockDevice): PhysicalVolume | null {
    const cached = known.get(device);
    if (cached !== undefined || device.facts.type !== "LVM2_member") return cached ?? null;
    const read = isVolume(machine, device) ? NOTHING : readFromSource(reads.sourceOf(device, places));
    if (read === "no answer") return null;
    const { info } = read;
    if (read.places.length > 0) places = read.places;
    known.set(device, info);
    reads.stop(device);
    for (const flaw of info?.flaws ?? []) voice.warn(`LVM on ${device.node}: ${flaw}`);
    return info;
  }

  return {
    /** Finds the groups; a device that appeared or was opened changes them. */
    list(): readonly JudgedGroup<BlockDevice>[] {
      const present = devices();
      reads.keepOnly(present);
      const found = ofType(present, "LVM2_member").flatMap((device) => {
        const info = readMember(device);
        return info === null ? [] : [{ device, node: device.node, info }];
      });
      strays = [];
      if (found.length === 0) return [];
      const isInside = liesInVolume(machine);
      const candidates = found.map((one) => ({
        ...one,
        isInside: isInside(one.device),
        isOnStick: isOnStick(one.device),
      }));
      const of = candidates.map(
        (one) => `${one.device.name} ${one.info.uuid} ${one.info.group?.seqno} ${one.isInside}`,
      );
      if (judged === null || !Bun.deepEquals(judged.of, of)) judged = { of, groups: judgeGroups(candidates) };
      const { groups } = judged;
      const hasGroup = (device: BlockDevice) => groups.some(({ members }) => [...members.values()].includes(device));
      strays = found.filter(({ device, info }) => info.group === null && !hasGroup(device)).map(({ device }) => device);
      return groups;
    },
    /** The devices of which the last call of `list` found no group: its metadata are on devices that are missing. */
    strays: () => strays,
    /** Ends the reads of devices that do not answer. */
    close: () => reads.keepOnly([]),
  };
}

/** What a disk is does not change while it is there, and a group may have hundreds; what a mapping lies on may. */
function createStickTest(machine: Machine): (device: BlockDevice) => boolean {
  const known = new WeakMap<BlockDevice, boolean>();
  return (device) => {
    const found = known.get(device) ?? liesOnStick(machine, device.name);
    if (/^(?:sd|vd|nvme)/.test(device.name)) known.set(device, found);
    return found;
  };
}

/** What was read of a device, and where; null if it cannot be read: the device is gone. */
interface MemberRead {
  readonly info: PhysicalVolume | null;
  readonly places: readonly ReadPlace[];
}

const NOTHING: MemberRead = { info: null, places: [] };
/** A crafted text must not have as much read of every other physical volume. */
const MOST_BYTES = 128 << 10;

function readFromSource(source: PatientSource): MemberRead | "no answer" {
  try {
    const size = source.size();
    const places: ReadPlace[] = [];
    const info = source.gather((read) => {
      places.length = 0;
      return readPhysicalVolume({
        size,
        read(offset, length) {
          places.push({ offset, length });
          return read(offset, length);
        },
      });
    });
    return { info, places: places.filter(({ length }) => length <= MOST_BYTES) };
  } catch (error) {
    if (error instanceof NoAnswerError) return "no answer";
    if (!isErrno(error)) throw error;
    return NOTHING;
  }
}

/** A logical volume may be the disk of a virtual machine, whose volume groups are none of the host's: lvm2 reads none there either (`scan_lvs` of lvm.conf). */
function isVolume(machine: Machine, device: BlockDevice): boolean {
  return machine.listMappings().some(({ device: name, uuid }) => name === device.name && VOLUME_UUID.test(uuid));
}
