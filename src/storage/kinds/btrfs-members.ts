import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import { ofType } from "../../devices/of-type.ts";
import { rememberEach } from "../../devices/remember.ts";
import { type BtrfsMember, readBtrfsMember } from "../../formats/filesystems/btrfs.ts";
import { orIfRefused } from "../../problems/errors.ts";
import type { StorageContext } from "../contract.ts";

/** The members of one filesystem that are present. */
export interface Pool {
  /** Those with the newest generation. */
  readonly current: readonly BlockDevice[];
  readonly outdated: readonly BlockDevice[];
  /** How many devices the filesystem has. */
  readonly total: number;
  /** Those that the kernel may see: an outdated one only if the others are not enough. */
  readonly used: readonly BlockDevice[];
  /** True if those with the newest generation are all. */
  readonly isEnough: boolean;
  readonly isEnoughWithOutdated: boolean;
}

/** Finds the members of btrfs filesystems among the devices that are present. */
export function createMembers(context: Pick<StorageContext, "machine" | "devices" | "companions">) {
  const memberOf = rememberEach(({ facts, node }: BlockDevice): BtrfsMember | null => {
    // null if it cannot be read: the device is gone.
    const read = () => orIfRefused(() => withReader(context.machine, node, readBtrfsMember), null);
    return facts.type === "btrfs" ? read() : null;
  });

  const membersOf = (device: BlockDevice) =>
    context.companions(device).filter((other) => isSameFilesystem(device, other));

  /** A member with an older generation was absent when the filesystem was written to last, or was removed from it while it was absent. */
  function sortOut(present: readonly BlockDevice[]): Pool {
    const generations = present.map((device) => memberOf(device)?.generation ?? 0n);
    const isOutdated = (index: number) => generations.some((generation) => generation > (generations[index] ?? 0n));
    const current = present.filter((_, index) => !isOutdated(index));
    const outdated = present.filter((_, index) => isOutdated(index));
    const total = Math.max(1, ...current.map((device) => memberOf(device)?.deviceCount ?? 1));
    const isEnough = countIds(current) >= total;
    const isEnoughWithOutdated = countIds(present) >= total;
    return { current, outdated, total, used: isEnough ? current : present, isEnough, isEnoughWithOutdated };
  }

  const countIds = (devices: readonly BlockDevice[]) => new Set(devices.map((one) => memberOf(one)?.deviceId)).size;

  const hasSeveral = (device: BlockDevice) => (memberOf(device)?.deviceCount ?? 1) > 1;

  return {
    membersOf,
    sortOut,
    /** True if the device may be one of several: its own superblock says so, or an outdated one of another. */
    isPool: (device: BlockDevice) => membersOf(device).some(hasSeveral),
    /** Lists the members of each filesystem of several devices. */
    pools() {
      const all = ofType(context.devices(), "btrfs");
      const groups = Object.values(Object.groupBy(all, ({ facts }) => facts.uuid ?? ""));
      return groups.filter((group = []) => group.some(hasSeveral)).map((group = []) => sortOut(group));
    },
  };
}

function isSameFilesystem(one: BlockDevice, other: BlockDevice): boolean {
  return one.facts.type === "btrfs" && other.facts.type === "btrfs" && one.facts.uuid === other.facts.uuid;
}
