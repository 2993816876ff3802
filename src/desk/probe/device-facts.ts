import { basename, dirname, resolve } from "node:path";
import type { AreaKind } from "../../formats/area.ts";
import { decodeLatin1 } from "../../formats/bytes.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import { readPartitionTable } from "../../formats/partitions/partition-table.ts";
import { type ProbeResult, probe } from "../../formats/probe.ts";
import { addTag, type Tag, type Tags } from "../../formats/tags.ts";
import { escapeUnprintable } from "../../formats/text.ts";
import type { Machine } from "../../machine/machine.ts";
import { readText, textOrNone } from "../../machine/small-files.ts";
import { withReader } from "../host.ts";

/** What is in a file or device, and the partitions of its own partition table if it is a file or a whole disk. */
export type ExaminedFile = Readonly<{ result: ProbeResult; partitions: readonly Partition[] }>;

type BlockDevice = NonNullable<ReturnType<typeof findBlockDevice>>;

/** Examines an image file or a block device. `sectorSize` in bytes; null: the device's own, 512 for a file. Throws SyscallError. */
export function examineFile(machine: Machine, path: string, sectorSize: number | null): ExaminedFile {
  return withReader(machine, path, (reader) => {
    const status = machine.stat(path);
    const device = status?.kind === "block" ? findBlockDevice(machine, status.represents) : null;
    const bytesPerSector = sectorSize ?? device?.sectorSize ?? 512;
    const result = probe(reader, { kind: kindOf(device), sectorSize: bytesPerSector });
    if (device?.isPartition === true) {
      const tags = [...result.tags, ...readPartEntry(machine, device)];
      return { result: { ...result, tags }, partitions: [] };
    }
    const table = result.partitionTable === null ? null : readPartitionTable(reader, bytesPerSector);
    return { result, partitions: table?.partitions ?? [] };
  });
}

function kindOf(device: BlockDevice | null): AreaKind {
  if (device === null) return "file";
  if (device.isPartition) return "partition";
  return /\/sr\d+$/.test(device.directory) ? "optical" : "disk";
}

/** Returns the directory of a block device in sysfs, and the sector size of its disk. */
function findBlockDevice(machine: Machine, number: string | null) {
  if (number === null || machine.lstat(`/sys/dev/block/${number}`) === null) return null;
  const directory = resolve("/sys/dev/block", machine.readLink(`/sys/dev/block/${number}`));
  const isPartition = machine.stat(`${directory}/partition`) !== null;
  const disk = isPartition ? dirname(directory) : directory;
  return { directory, isPartition, sectorSize: readNumber(machine, `${disk}/queue/logical_block_size`) || 512 };
}

/** The disk's table entry of a partition; empty if the table does not show what the kernel shows. */
function readPartEntry(machine: Machine, { directory, sectorSize }: BlockDevice): Tags {
  const disk = dirname(directory);
  const node = `/dev/${basename(disk).replaceAll("!", "/")}`;
  const table = withReader(machine, node, (reader) => readPartitionTable(reader, sectorSize));
  const [start, size] = [readNumber(machine, `${directory}/start`), readNumber(machine, `${directory}/size`)];
  const partition = findPartition(table?.partitions ?? [], start, size);
  const tags: Tags = [];
  if (partition !== null) addPartEntry(tags, partition, readText(machine, `${disk}/dev`));
  return tags;
}

/** Adds the table entry of a partition as libblkid's PART_ENTRY_* tags; `disk` is the disk's "major:minor". */
export function addPartEntry(tags: Tags, partition: Partition, disk: string): void {
  const { scheme, name, uuid, type, attributes, number, start, size } = partition;
  const values = {
    SCHEME: scheme,
    NAME: name,
    UUID: uuid,
    TYPE: type,
    FLAGS: attributes === 0n ? null : `0x${attributes.toString(16)}`,
    NUMBER: String(number),
    OFFSET: String(start),
    SIZE: String(size),
    DISK: disk,
  };
  for (const [key, value] of Object.entries(values)) if (value !== null) addTag(tags, `PART_ENTRY_${key}`, value);
}

/** Finds the partition at the kernel's `start` and `size` (units of 512 bytes); the kernel shows 2 sectors of an extended one. */
export function findPartition(partitions: readonly Partition[], start: number, size: number): Partition | null {
  const isExtended = ({ type }: Partition) => ["0x5", "0xf", "0x85"].includes(type);
  const found = partitions.find(
    (partition) => partition.start === start && (partition.size === size || (isExtended(partition) && size <= 1024)),
  );
  return found ?? null;
}

const readNumber = (machine: Machine, path: string) => Number(textOrNone(machine, path));

/** What a shell would interpret. */
const ESCAPED = " \\\"'$`<>";

/**
 * Formats `NAME=value` lines as `blkid -o export` does: control characters as `^A`, bytes from 128 on as `M-` and the rest,
 * a backslash before what a shell would interpret. Pure ASCII.
 */
export function formatExport(device: string, tags: readonly Tag[]): string {
  const lines = tags.map(({ name, value }) => `${name}=${decodeLatin1(value).replace(/./gs, formatByte)}\n`);
  return `DEVNAME=${device}\n${lines.join("")}`;
}

function formatByte(character: string): string {
  const byte = character.charCodeAt(0);
  const meta = byte >= 128 ? "M-" : "";
  const low = String.fromCharCode(byte & 0x7f);
  if (low < " " || low === "\x7f") return `${meta}^${String.fromCharCode((byte & 0x7f) ^ 0x40)}`;
  return `${meta}${ESCAPED.includes(low) ? "\\" : ""}${low}`;
}

/** Returns a partition for JSON; `start` and `size` are in units of 512 bytes. */
export function describePartition({ attributes, name, type, ...rest }: Partition) {
  return {
    ...rest,
    type: escapeUnprintable(type),
    name: name && escapeUnprintable(name),
    attributes: `0x${attributes.toString(16)}`,
  };
}
