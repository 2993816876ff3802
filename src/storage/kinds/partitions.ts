import { type BlockDevice, readSectorSize, withReader } from "../../devices/block-devices.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import { readPartitionTable } from "../../formats/partitions/partition-table.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError, isErrno } from "../../problems/errors.ts";
import { headline } from "../../problems/report.ts";
import type { Assembly, Link, StorageContext } from "../contract.ts";
import { createMapping, isWriteProtected, requireTarget } from "../device-mapper/mapping.ts";

/** Maps the partitions inside an encrypted volume, which the kernel does not look for on device mapper's devices (GENHD_FL_NO_PART): dm-linear, with the names and uuids that kpartx gives. */
export function startPartitions(context: StorageContext): Assembly {
  const done = new Set<string>();
  let links: readonly Link[] = [];
  return {
    advance() {
      const disk = context.devices().find((device) => isMappedDisk(device) && !done.has(device.name));
      if (disk === undefined) return "idle";
      done.add(disk.name);
      const made = openDisk(context, disk);
      links = [...links, ...made.map((to) => ({ from: [disk.name], to, isReplacement: false }))];
      return made.length > 0 ? "changed" : "idle";
    },
    links: () => links,
  };
}

/** More than any table of a disk that a system boots from. */
const MOST_PARTITIONS = 128;

/** Extended partitions, which hold the logical ones and nothing else. */
const EXTENDED = ["0x5", "0xf", "0x85"];

/** A filesystem may begin with what looks like a partition table. */
function isMappedDisk({ name, facts }: BlockDevice): boolean {
  return /^dm-\d+$/.test(name) && facts.partitionTable !== null && facts.type === null;
}

/** Returns the partitions by the kernel's names. A failure is only a warning: the root may be elsewhere. */
function openDisk(context: StorageContext, disk: BlockDevice): readonly string[] {
  const { machine, voice } = context;
  try {
    const parent = machine.listMappings().find(({ device }) => device === disk.name);
    if (parent === undefined || !parent.uuid.startsWith("CRYPT-")) return [];
    requireTarget(context, "linear", "dm-mod");
    const readOnly = isWriteProtected(machine, disk);
    return readPartitions(machine, disk).map(({ number, start, size }) => {
      const name = `${parent.name}${/\d$/.test(parent.name) ? "p" : ""}${number}`;
      const uuid = `part${number}-${parent.uuid}`;
      const known = machine.listMappings().find((mapping) => mapping.name === name && mapping.uuid === uuid);
      if (known !== undefined) return known.device;
      const parameters = new TextEncoder().encode(`${disk.number} ${start}`);
      const target = { type: "linear", sectors: size, parameters };
      const { device } = createMapping(context, { name, uuid, readOnly }, target);
      context.look(device);
      return device;
    });
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    voice.warn(`the partitions in ${disk.node} cannot be opened: ${headline(error)}`);
    return [];
  }
}

/** Only what lies on the disk, without extended partitions. */
function readPartitions(machine: Machine, { name, node, sizeBytes }: BlockDevice): readonly Partition[] {
  const table = withReader(machine, node, (reader) => readPartitionTable(reader, readSectorSize(machine, name)));
  const isHere = ({ start, size, type }: Partition) =>
    size > 0 && (start + size) * 512 <= sizeBytes && !EXTENDED.includes(type);
  return (table?.partitions ?? []).filter(isHere).slice(0, MOST_PARTITIONS);
}
