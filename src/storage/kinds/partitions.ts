import { type BlockDevice, readSectorSize, withReader } from "../../devices/block-devices.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import { readPartitionTable } from "../../formats/partitions/partition-table.ts";
import type { Mapping } from "../../machine/encryption.ts";
import type { Machine } from "../../machine/machine.ts";
import { textOrNone } from "../../machine/small-files.ts";
import { BootError, isErrno, tolerateRefusal } from "../../problems/errors.ts";
import { headline } from "../../problems/report.ts";
import type { Assembly, Link, StorageContext, StoragePlan } from "../contract.ts";
import { createMapping, isWriteProtected, removeMapping, requireTarget } from "../device-mapper/mapping.ts";
import { restsOn } from "../trust.ts";

/** A device with a partition table that the kernel does not read. */
interface Disk {
  readonly device: BlockDevice;
  /** As kpartx names what is in it: the name with the number, the uuid behind "partN-". */
  readonly name: string;
  readonly uuid: string;
  /** What kpartx puts before the number. */
  readonly delimiter: string;
  readonly partitions: readonly Partition[];
}

/**
 * Maps the partitions for which the kernel does not look, with the names and uuids that kpartx gives: those inside an
 * encrypted volume (GENHD_FL_NO_PART), and, as the last resort or if a path names one, those of a table inside a partition, as on
 * phones: it may also be the disk of a virtual machine, which holds a root with the same label. Those in a logical volume, which
 * mostly is such a disk, only if a path names one.
 */
export function startPartitions(context: StorageContext, { roots }: Pick<StoragePlan, "roots">): Assembly {
  const done = new Set<string>();
  const nested: Mapping[] = [];
  let links: readonly Link[] = [];
  let isLastResort = false;
  let claimed: string | null = null;

  /** True if the root is a partition in the device, by its name. */
  const isNamed = ({ node }: BlockDevice) =>
    roots.some(
      (spec) => spec.by === "path" && spec.path.startsWith(node) && /^p?\d+$/.test(spec.path.slice(node.length)),
    );

  function isReady(device: BlockDevice, hasRoot: boolean): boolean {
    if (!isNested(context.machine, device)) return true;
    return !hasRoot && (isNamed(device) || (isLastResort && !isVolume(context.machine, device)));
  }

  function findDisk(hasRoot: boolean): Disk | null {
    for (const device of context.devices()) {
      if (done.has(device.name) || !hasOnlyTable(device) || !isReady(device, hasRoot)) continue;
      const disk = readDisk(context, device, roots);
      if (disk !== null) return disk;
      done.add(device.name);
    }
    return null;
  }
  return {
    advance(candidate) {
      const disk = findDisk(candidate !== null);
      if (disk === null) return "idle";
      done.add(disk.device.name);
      const isBelow = isNested(context.machine, disk.device);
      const made = openDisk(context, disk, isBelow ? MOST_PARTITIONS - nested.length : MOST_PARTITIONS);
      const from = [disk.device.name];
      links = [...links, ...made.map(({ mapping }) => ({ from, to: mapping.device, isReplacement: false }))];
      if (isBelow) nested.push(...made.filter(({ isNew }) => isNew).map(({ mapping }) => mapping));
      return made.length > 0 ? "changed" : "idle";
    },
    lastResort() {
      isLastResort = true;
    },
    links: () => links,
    claim(device) {
      claimed = device.name;
    },
    close() {
      const isUsed = ({ device }: Mapping) => claimed !== null && restsOn(context.machine, [device])({ name: claimed });
      for (const mapping of nested.toReversed()) {
        if (!isUsed(mapping)) tolerateRefusal(() => removeMapping(context.machine, mapping));
      }
    },
  };
}

/** More than any table of a disk that a system boots from, and all that are mapped of tables in partitions. */
const MOST_PARTITIONS = 128;
/** A table may lie in a partition of a table in a partition, but a crafted table must not nest without a limit. */
const MOST_LEVELS = 2;
/** The uuid that kpartx gives to partitions of a device that is not device mapper's (kpartx/devmapper.h of multipath-tools). */
const devnodeUuid = (number: string) => `devnode_${number}_Wh5pYvM`;

/** Extended partitions, which hold the logical ones and nothing else, and the one that protects a GPT. */
const NO_CONTENT = ["0x5", "0xf", "0x85", "0xee"];

/** A filesystem may begin with what looks like a partition table. */
function hasOnlyTable({ name, partition, facts }: BlockDevice): boolean {
  return (/^dm-\d+$/.test(name) || partition !== null) && facts.partitionTable !== null && facts.type === null;
}

/** True for what may be the disk of a virtual machine: a partition or a logical volume; an encrypted volume is a disk. */
function isNested(machine: Machine, device: BlockDevice): boolean {
  return device.partition !== null || isVolume(machine, device);
}

function isVolume(machine: Machine, { name }: BlockDevice): boolean {
  return /^LVM-/.test(textOrNone(machine, `/sys/class/block/${name}/dm/uuid`));
}

/** Reads what is to be mapped in a device; null if that is nothing. */
function readDisk({ machine, voice }: StorageContext, device: BlockDevice, roots: StoragePlan["roots"]): Disk | null {
  const mapping = machine.listMappings().find((one) => one.device === device.name);
  const own = mapping ?? { name: device.name.replaceAll("!", "-"), uuid: devnodeUuid(device.number) };
  const [levels = "", rest = ""] = /^((?:part\d+-)*)(.*)$/s.exec(own.uuid)?.slice(1) ?? [];
  const isOurs = /^(?:CRYPT-|LVM-|mpath-|devnode_)/.test(rest) && levels.split("-").length - 1 < MOST_LEVELS;
  if (!isOurs || (isNested(machine, device) && !["gpt", "dos"].includes(device.facts.partitionTable ?? "")))
    return null;
  try {
    const partitions = readPartitions(machine, device);
    if (partitions.length === 0) return null;
    const { name, uuid } = own;
    return { device, name, uuid, delimiter: delimiterOf(name, uuid, roots), partitions };
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`the partitions in ${device.node} cannot be read: ${headline(error)}`);
    return null;
  }
}

/** By default kpartx puts "p" behind a digit; for multipath, Debian and SUSE have it put "-part", unless `root=` says otherwise. */
function delimiterOf(name: string, uuid: string, roots: StoragePlan["roots"]): string {
  const usual = /\d$/.test(name) ? "p" : "";
  if (!uuid.startsWith("mpath-")) return usual;
  const isUsual = (text: string) => /^\d+$/.test(text.slice(usual.length)) && text.startsWith(usual);
  const start = `/dev/mapper/${name}`;
  const isAsked = roots.some(
    (spec) => spec.by === "path" && spec.path.startsWith(start) && isUsual(spec.path.slice(start.length)),
  );
  return isAsked ? usual : "-part";
}

interface MappedPartition {
  readonly mapping: Mapping;
  /** False for one that an earlier search has made. */
  readonly isNew: boolean;
}

/** Maps at most `most` partitions. A failure is only a warning: the root may be elsewhere. */
function openDisk(context: StorageContext, disk: Disk, most: number): readonly MappedPartition[] {
  const { machine, voice } = context;
  const made: MappedPartition[] = [];
  try {
    requireTarget(context, "linear", "dm-mod");
    const readOnly = isWriteProtected(machine, disk.device);
    for (const partition of disk.partitions.slice(0, most)) made.push(mapPartition(context, disk, partition, readOnly));
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    voice.warn(`the partitions in ${disk.device.node} cannot be opened: ${headline(error)}`);
  }
  return made;
}

function mapPartition(
  context: StorageContext,
  { device, name: disk, uuid: diskUuid, delimiter }: Disk,
  { number, start, size }: Partition,
  readOnly: boolean,
): MappedPartition {
  const name = `${disk}${delimiter}${number}`;
  const uuid = `part${number}-${diskUuid}`;
  const known = context.machine.listMappings().find((one) => one.name === name && one.uuid === uuid);
  if (known !== undefined) return { mapping: known, isNew: false };
  const parameters = new TextEncoder().encode(`${device.number} ${start}`);
  const mapping = createMapping(context, { name, uuid, readOnly }, { type: "linear", sectors: size, parameters });
  context.look(mapping.device);
  return { mapping, isNew: true };
}

/** Only what lies on the device behind its table. */
function readPartitions(machine: Machine, { name, node, sizeBytes }: BlockDevice): readonly Partition[] {
  const table = withReader(machine, node, (reader) => readPartitionTable(reader, readSectorSize(machine, name)));
  const isHere = ({ start, size, type }: Partition) =>
    start > 0 && size > 0 && (start + size) * 512 <= sizeBytes && !NO_CONTENT.includes(type);
  return (table?.partitions ?? []).filter(isHere).slice(0, MOST_PARTITIONS);
}
