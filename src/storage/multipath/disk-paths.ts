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

/** Lists the disks of which there are several paths. Only disks that look alike have their WWIDs read: most machines have none. */
function listPaths(present: readonly BlockDevice[], { content, wwid: readWwid }: DiskReader): readonly Paths[] {
  const disks = present.filter(({ name, partition }) => /^(?:sd|nvme)/.test(name) && partition === null);
  const alike = [...Map.groupBy(disks, content).values()].filter((group) => group.length > 1);
  const paths = alike.flatMap((group) => [...Map.groupBy(group, readWwid)]);
  return paths.flatMap(([wwid, [first, ...others]]): readonly Paths[] =>
    wwid === null || first === undefined || others.length === 0 ? [] : [[first, ...others]],
  );
}

/** What two paths to one disk have in common; different texts for disks without content, which no search is about. */
function describeContent({ name, sizeBytes, facts }: BlockDevice): string {
  const { type, uuid, label, partitionTable } = facts;
  return type === null && partitionTable === null
    ? name
    : JSON.stringify([sizeBytes, type, uuid, label, partitionTable]);
}

interface DiskReader {
  content(disk: BlockDevice): string;
  wwid(disk: BlockDevice): string | null;
}

/** The name that the disk itself has, as the kernel reads it from the device (VPD page 0x83 of SCSI, the namespace of NVMe). */
function readWwid(machine: Machine, disk: BlockDevice): string | null {
  const directory = `/sys/class/block/${disk.name}`;
  // A disk without one answers EINVAL.
  const read = (file: string) => orIfRefused(() => readText(machine, `${directory}/${file}`), "");
  const wwid = ["device/wwid", "wwid"].map(read).find((text) => text !== "");
  if (wwid === undefined || isPluggable(machine, disk)) return null;
  // There are models of SATA disks of which each has the same WWID; two members of an array on them would look like one.
  return read("device/vendor").trim() === "ATA" ? `${wwid} ${read("device/vpd_pg80")}` : wwid;
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
