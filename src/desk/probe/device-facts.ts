import type { AreaKind } from "../../formats/area.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import { readPartitionTable } from "../../formats/partitions/partition-table.ts";
import { type ProbeResult, probe } from "../../formats/probe.ts";
import type { Tags } from "../../formats/tags.ts";
import type { Machine, RandomReader } from "../../machine/machine.ts";
import { SyscallError } from "../../problems/errors.ts";
import { addPartEntry, findPartition } from "./part-entry.ts";

/** A file or device, examined. */
export interface ExaminedFile {
  readonly result: ProbeResult;
  /** Those of its own table, for a file or a whole disk. */
  readonly partitions: readonly Partition[];
}

/** Where a block device stands in sysfs; null for a file, whose partitions only its own table knows. */
interface BlockDevice {
  readonly directory: string;
  readonly isPartition: boolean;
  readonly sectorSize: number;
}

/** Examines an image file or a block device. `sectorSize` (bytes) is null for the device's own, 512 for a file. Throws SyscallError where it cannot be opened. */
export function examineFile(machine: Machine, path: string, sectorSize: number | null): ExaminedFile {
  // To open it would be a wait for somebody who writes into it.
  const status = machine.stat(path);
  if (status?.kind === "fifo") throw new SyscallError("lseek", "ESPIPE", path);
  const device = status?.kind === "block" ? findBlockDevice(machine, status.represents) : null;
  return withReader(machine, path, (reader) => {
    const bytesPerSector = sectorSize ?? device?.sectorSize ?? 512;
    const result = probe(reader, { kind: kindOf(device), sectorSize: bytesPerSector });
    const hasOwnTable = device?.isPartition !== true && result.partitionTable !== null;
    const partitions = hasOwnTable ? (readPartitionTable(reader, bytesPerSector)?.partitions ?? []) : [];
    const entry: Tags = device?.isPartition === true ? readPartEntry(machine, device) : [];
    return { result: { ...result, tags: [...result.tags, ...entry] }, partitions };
  });
}

function kindOf(device: BlockDevice | null): AreaKind {
  if (device === null) return "file";
  if (device.isPartition) return "partition";
  return /\/sr\d+$/.test(device.directory) ? "optical" : "disk";
}

function findBlockDevice(machine: Machine, number: string | null): BlockDevice | null {
  if (number === null || machine.lstat(`/sys/dev/block/${number}`) === null) return null;
  const directory = resolvePath("/sys/dev/block", machine.readLink(`/sys/dev/block/${number}`));
  const isPartition = machine.stat(`${directory}/partition`) !== null;
  const disk = isPartition ? parentOf(directory) : directory;
  return { directory, isPartition, sectorSize: readNumber(machine, `${disk}/queue/logical_block_size`) || 512 };
}

/** What the disk's table says of a partition; nothing where the table does not show what the kernel does. */
function readPartEntry(machine: Machine, { directory, sectorSize }: BlockDevice): Tags {
  const disk = parentOf(directory);
  const node = `/dev/${disk.slice(disk.lastIndexOf("/") + 1).replaceAll("!", "/")}`;
  const table = withReader(machine, node, (reader) => readPartitionTable(reader, sectorSize));
  const [start, size] = [readNumber(machine, `${directory}/start`), readNumber(machine, `${directory}/size`)];
  const partition = findPartition(table?.partitions ?? [], start, size);
  const tags: Tags = [];
  if (partition !== null) addPartEntry(tags, partition, readText(machine, `${disk}/dev`));
  return tags;
}

function withReader<T>(machine: Machine, path: string, use: (reader: RandomReader) => T): T {
  const reader = machine.openReader(path);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
const resolvePath = (from: string, to: string) => new URL(to, `file://${from}/`).pathname;
const readText = (machine: Machine, path: string) => new TextDecoder().decode(machine.readFile(path)).trim();
const readNumber = (machine: Machine, path: string) =>
  machine.stat(path) === null ? 0 : Number(readText(machine, path));
