import type { ExamineOptions } from "../formats/area.ts";
import { unsupportedLayer } from "../formats/contents.ts";
import type { Facts } from "../formats/facts.ts";
import { readPartitionTable } from "../formats/partitions/partition-table.ts";
import type { Machine, RandomReader } from "../machine/machine.ts";
import { listOrNone, readText, textOrNone } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";
import { notSupportedYet } from "../problems/not-supported.ts";
import { printable } from "../problems/report.ts";

/** A block device of the kernel, with its content. */
export interface BlockDevice {
  /** The kernel's name, as in /sys/class/block. */
  readonly name: string;
  /** "/dev/…". */
  readonly node: string;
  /** What mount(2) takes if that is not `node`: the paths of all devices of a bcachefs. */
  readonly mountSource?: string;
  /** "major:minor". */
  readonly number: string;
  readonly sizeBytes: number;
  /** For a partition: the disk's kernel name and the partition's number. */
  readonly partition: { readonly disk: string; readonly index: number } | null;
  readonly facts: Facts;
  /** Why its content cannot be read, in words; null if it can. */
  readonly unreadable: string | null;
}

/** PARTUUID, PARTLABEL and the type of a partition. */
export interface PartitionName {
  readonly uuid: string | null;
  readonly label: string | null;
  /** As `Partition.type`; null if GPT's "do not automount" is set. */
  readonly autoType: string | null;
}

/** Bit 63 of a GPT entry's attributes (Discoverable Partitions Specification). */
export const GPT_NO_AUTO = 1n << 63n;

/** Lists the kernel names of all block devices that are worth probing, sorted; RAM disks and floppies are used only if named. */
export function listBlockDeviceNames(machine: Machine): readonly string[] {
  return listOrNone(machine, "/sys/class/block").filter(isWorthProbing);
}

/** Returns false for devices that cost time and never hold a root with a label or UUID: fd0 spins up for seconds, ram0 is empty. */
export function isWorthProbing(name: string): boolean {
  return !/^(ram|fd|zram)\d+$/.test(name);
}

/** What /sys says about a block device. */
export interface DeviceEntry extends Pick<BlockDevice, "name" | "node" | "number" | "sizeBytes" | "partition"> {
  /** How to probe it. */
  readonly area: ExamineOptions;
}

/** Reads one device from sysfs; null if it is gone, or empty and cannot get a medium. */
export function readDeviceEntry(machine: Machine, name: string): DeviceEntry | null {
  const directory = `/sys/class/block/${name}`;
  return orIfRefused(() => {
    const properties = parseProperties(readText(machine, `${directory}/uevent`));
    // The path of an NVMe disk below the kernel's own multipath (nvme0c0n1) has no number: it cannot be opened.
    if (properties["MAJOR"] === undefined) return null;
    const sizeBytes = Number(readText(machine, `${directory}/size`)) * 512;
    // The kernel learns the size of an inserted medium when the device is opened.
    if (!(sizeBytes > 0) && textOrNone(machine, `${directory}/removable`).trim() !== "1") return null;
    const mapped = /^dm-\d+$/.test(name) ? readMapped(machine, directory) : null;
    const node = mapped?.node ?? `/dev/${properties["DEVNAME"] ?? name}`;
    const index = Number(properties["PARTN"] ?? Number.NaN);
    const number = `${properties["MAJOR"]}:${properties["MINOR"]}`;
    ensureNode(machine, node, number);
    const diskOf = () => machine.readLink(directory).split("/").at(-2) ?? "";
    const partition = Number.isInteger(index) ? { disk: diskOf(), index } : (mapped?.partition ?? null);
    const area = describeArea(machine, partition?.disk ?? name, partition !== null);
    return { name, node, number, sizeBytes, partition, area };
  }, null);
}

/** Reads a device-mapper device: its link, if there is one, and which partition it is, if kpartx or levain mapped one. */
function readMapped(machine: Machine, directory: string): Partial<Pick<BlockDevice, "node" | "partition">> {
  const node = `/dev/mapper/${readText(machine, `${directory}/dm/name`)}`;
  const index = /^part(\d+)-/.exec(readText(machine, `${directory}/dm/uuid`))?.[1];
  const disk = index === undefined ? undefined : machine.listDirectory(`${directory}/slaves`)[0];
  return {
    ...(machine.stat(node) === null ? {} : { node }),
    partition: disk === undefined ? null : { disk, index: Number(index) },
  };
}

const NAMELESS: PartitionName = { uuid: null, label: null, autoType: null };

/** Reads the names of a partition from the disk's partition table; nulls if the device is no partition, or the table has none or cannot be read. */
export function namePartition(machine: Machine, device: BlockDevice): PartitionName {
  if (device.partition === null) return NAMELESS;
  const { partition } = device;
  return orIfRefused(() => readPartitionName(machine, partition), NAMELESS);
}

function readPartitionName(machine: Machine, { disk, index }: NonNullable<BlockDevice["partition"]>): PartitionName {
  const sectorSize = readSectorSize(machine, disk);
  const node = `/dev/${disk.replaceAll("!", "/")}`;
  const table = withReader(machine, node, (reader) => readPartitionTable(reader, sectorSize));
  const entry = table?.partitions.find((partition) => partition.number === index);
  if (entry === undefined) return NAMELESS;
  const isManual = (entry.attributes & GPT_NO_AUTO) !== 0n;
  return { uuid: entry.uuid, label: entry.name, autoType: isManual ? null : entry.type };
}

/** Formats the device as a report names it: `/dev/vda1 vfat "EFI"`, with a note on content that levain cannot use. */
export function describeDevice(device: BlockDevice): string {
  const { node, facts } = device;
  const label = facts.label === null ? "" : `"${printable(facts.label)}"`;
  const note = describeObstacle(device);
  const table = facts.partitionTable === null ? "unknown content" : `${facts.partitionTable} partition table`;
  const content = facts.type ?? (note === null ? `(${table})` : "");
  return [node, content, label, note === null ? "" : `(${note})`].filter((part) => part !== "").join(" ");
}

/** Says why levain cannot use what a device holds: an error, contradicting signatures, a layer; null if it can, or nothing was found. */
export function describeObstacle({ facts, unreadable }: Pick<BlockDevice, "facts" | "unreadable">): string | null {
  if (unreadable !== null) return `cannot be read: ${unreadable}`;
  if (facts.ambivalent.length > 0) return `ambivalent: it looks like ${facts.ambivalent.join(" and ")}`;
  const layer = unsupportedLayer(facts.type);
  return layer === null ? null : notSupportedYet(layer);
}

/** Parses KEY=value lines, as in a uevent file. */
export function parseProperties(text: string): Readonly<Record<string, string>> {
  const pairs = text.split("\n").flatMap((line) => {
    const equals = line.indexOf("=");
    return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** Makes the node if mdev.conf gives the disk none, or another name. Outside a boot, /dev is left alone: a container sees its host's disks in /sys. */
function ensureNode(machine: Machine, node: string, number: string): void {
  if (!machine.isBoot || machine.stat(node) !== null) return;
  const [major, minor] = number.split(":").map(Number);
  machine.makeDirectory(node.slice(0, node.lastIndexOf("/")));
  machine.makeNode(node, "block", major ?? 0, minor ?? 0, 0o600);
}

/** Says what to probe: a partition is not a member of a controller's RAID, and the end of a CD cannot be read. */
function describeArea(machine: Machine, disk: string, isPartition: boolean): ExamineOptions {
  const diskKind = /^sr\d+$/.test(disk) ? "optical" : "disk";
  return { kind: isPartition ? "partition" : diskKind, sectorSize: readSectorSize(machine, disk) };
}

/** Returns the bytes of the logical sectors of a disk or partition, the unit of partition tables. */
export function readSectorSize(machine: Machine, disk: string): number {
  const read = (queue: string) => textOrNone(machine, `/sys/class/block/${disk}/${queue}/logical_block_size`);
  // A partition, which may have a table of its own, has no queue: its disk's is beside it.
  return Number(read("queue") || read("../queue")) || 512;
}

/** Calls `use` with a reader of a device or file, which is closed afterwards. */
export function withReader<T>(machine: Machine, node: string, use: (reader: RandomReader) => T): T {
  const reader = machine.openReader(node);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}
