import type { BlockDevice } from "../../devices/block-devices.ts";
import { isPluggable } from "../../devices/drives.ts";
import { rememberEach } from "../../devices/remember.ts";
import { readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone, readText } from "../../machine/small-files.ts";
import { orIfRefused } from "../../problems/errors.ts";

/** Which disks are one and the same, reached over several paths (two cables, two controllers), and over which of them it is used. */
export interface DiskPaths {
  /** The disks that are used over another path, and their partitions. */
  readonly others: readonly BlockDevice[];
  /** True for a disk that is used over another path, and for its partitions. */
  isOther(device: BlockDevice): boolean;
  /** The same disk or partition over the path that is used; `device` itself if there is only one. */
  used(device: BlockDevice): BlockDevice;
}

/**
 * Returns what finds disks with one WWID among the devices that are present. A disk that is plugged in by hand is never such a path: a stick could claim the WWID of the machine's
 * disk. One that was used before (mounted, or a part of another device) stays the one in use; otherwise the first is.
 */
export function createDiskPaths(machine: Machine, list: () => readonly BlockDevice[]): () => DiskPaths {
  // The disks of a server may all look alike, and are compared each time that another one appears.
  const read: DiskReader = {
    content: rememberEach(describeContent),
    wwid: rememberEach((disk: BlockDevice) => readWwid(machine, disk)),
    identity: rememberEach((disk: BlockDevice) => readIdentity(machine, disk)),
  };
  let known: readonly BlockDevice[] = [];
  let found: DiskPaths = { others: [], isOther: () => false, used: (device) => device };
  let earlier: readonly string[] = [];
  return () => {
    const present = list();
    if (present === known) return found;
    known = present;
    const groups = listPaths(present, read).map((group) => ({
      group,
      used: group.find(({ name }) => earlier.includes(name)) ?? pickUsed(machine, group),
    }));
    earlier = groups.map(({ used }) => used.name);
    const usedOf = new Map(
      groups.flatMap(({ group, used }) =>
        group.filter((disk) => disk !== used).map(({ name }) => [name, used.name] as const),
      ),
    );
    found = createView(present, usedOf);
    return found;
  };
}

/** `usedOf`: by a disk's name, that of the one in its place. */
function createView(present: readonly BlockDevice[], usedOf: ReadonlyMap<string, string>): DiskPaths {
  const isOther = ({ name, partition }: BlockDevice) => usedOf.has(partition?.disk ?? name);
  return {
    others: usedOf.size === 0 ? [] : present.filter(isOther),
    isOther,
    used(device) {
      const { name, partition } = device;
      const disk = usedOf.get(partition?.disk ?? name);
      if (disk === undefined) return device;
      const isSame = (other: BlockDevice) =>
        partition === null
          ? other.name === disk
          : other.partition?.disk === disk && other.partition.index === partition.index;
      return present.find(isSame) ?? device;
    },
  };
}

type Paths = readonly [BlockDevice, ...BlockDevice[]];

/** Lists the disks of which there are several paths. Only disks that look alike have their WWIDs read, and only those with one WWID what else tells them apart: most machines have none. */
function listPaths(present: readonly BlockDevice[], { content, wwid, identity }: DiskReader): readonly Paths[] {
  const disks = present.filter(({ name, partition }) => /^(?:sd|nvme)/.test(name) && partition === null);
  const alike = listAlike(disks, content)
    .flatMap((group) => listAlike(group, wwid))
    .flatMap((group) => listAlike(group, identity));
  return alike.flatMap(([first, ...others]): readonly Paths[] => (first === undefined ? [] : [[first, ...others]]));
}

/** Groups the disks that have the same of something; null: it has none. */
function listAlike(
  disks: readonly BlockDevice[],
  find: (disk: BlockDevice) => string | null,
): readonly (readonly BlockDevice[])[] {
  const groups = [...Map.groupBy(disks, find)];
  return groups.flatMap(([value, group]) => (value === null || group.length < 2 ? [] : [group]));
}

/** What two paths to one disk have in common; null for disks without content, which no search is about. */
function describeContent({ sizeBytes, facts }: BlockDevice): string | null {
  const { type, uuid, label, partitionTable } = facts;
  return type === null && partitionTable === null
    ? null
    : JSON.stringify([sizeBytes, type, uuid, label, partitionTable]);
}

interface DiskReader {
  content(disk: BlockDevice): string | null;
  wwid(disk: BlockDevice): string | null;
  identity(disk: BlockDevice): string | null;
}

/** The name that the disk itself has, as the kernel reads it from the device (VPD page 0x83 of SCSI, the namespace of NVMe). */
function readWwid(machine: Machine, disk: BlockDevice): string | null {
  return ["device/wwid", "wwid"].map((file) => readAttribute(machine, disk, file)).find((text) => text !== "") ?? null;
}

/** What tells disks with one WWID apart: null for one that is plugged in by hand. There are models of SATA disks of which each has the same; two members of an array on them would look like one. */
function readIdentity(machine: Machine, disk: BlockDevice): string | null {
  if (isPluggable(machine, disk)) return null;
  const isAta = readAttribute(machine, disk, "device/vendor").trim() === "ATA";
  return isAta ? readAttribute(machine, disk, "device/vpd_pg80") : "";
}

/** A disk without the attribute answers EINVAL. */
function readAttribute(machine: Machine, { name }: BlockDevice, file: string): string {
  return orIfRefused(() => readText(machine, `/sys/class/block/${name}/${file}`), "");
}

/** The path over which the disk is in use already; else the first. */
function pickUsed(machine: Machine, group: Paths): BlockDevice {
  const mounts = readMounts(machine);
  const isUsed = ({ name, node }: BlockDevice) => {
    const directory = `/sys/class/block/${name}`;
    const parts = listOrNone(machine, directory).filter((entry) => entry.startsWith(name));
    const isHeld = ["", ...parts.map((part) => `/${part}`)].some(
      (part) => listOrNone(machine, `${directory}${part}/holders`).length > 0,
    );
    return isHeld || mounts.some(({ source }) => source === node || parts.some((part) => source === `/dev/${part}`));
  };
  return group.find(isUsed) ?? group[0];
}
