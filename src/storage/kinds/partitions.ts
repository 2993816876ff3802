import { type BlockDevice, readSectorSize } from "../../devices/block-devices.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import { readPartitionTable } from "../../formats/partitions/partition-table.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError, isErrno } from "../../problems/errors.ts";
import { headline } from "../../problems/report.ts";
import { createMapping } from "../mapping.ts";
import { requireTarget } from "../mapping-target.ts";
import { type Opener, type Scene, SIMPLE_OPENER } from "../opener.ts";
import { isWriteProtected } from "./crypt/luks.ts";

/** More than any table of a disk that a system boots from. */
const MOST_PARTITIONS = 128;

/** They hold the logical ones and nothing else. */
const EXTENDED = ["0x5", "0xf", "0x85"];

/** Makes devices of the partitions inside an encrypted volume, for the kernel looks for none on device mapper's devices (GENHD_FL_NO_PART): dm-linear, with the names and uuids that kpartx gives. */
export function createPartitionOpener(scene: Scene): Opener {
  const done = new Set<string>();
  return {
    ...SIMPLE_OPENER,
    open() {
      const [disk] = scene.devices().filter((device) => isMappedDisk(device) && !done.has(device.name));
      if (disk === undefined) return "idle";
      done.add(disk.name);
      return openDisk(scene, disk) ? "changed" : "idle";
    },
  };
}

/** Filesystems may have what looks like a table as well. */
function isMappedDisk({ name, facts }: BlockDevice): boolean {
  return /^dm-\d+$/.test(name) && facts.partitionTable !== null && facts.type === null;
}

/** What goes wrong is told: the root may be elsewhere. */
function openDisk(scene: Scene, disk: BlockDevice): boolean {
  try {
    const parent = scene.machine.listMappings().find(({ device }) => device === disk.name);
    if (parent === undefined || !parent.uuid.startsWith("CRYPT-")) return false;
    requireTarget(scene, "linear", "dm-mod");
    const readOnly = isWriteProtected(scene.machine, disk);
    const partitions = readPartitions(scene.machine, disk);
    for (const partition of partitions) {
      const name = `${parent.name}${/\d$/.test(parent.name) ? "p" : ""}${partition.number}`;
      const uuid = `part${partition.number}-${parent.uuid}`;
      const isThere = scene.machine.listMappings().some((mapping) => mapping.name === name && mapping.uuid === uuid);
      if (isThere) continue;
      const parameters = new TextEncoder().encode(`${disk.number} ${partition.start}`);
      const target = { type: "linear", sectors: partition.size, parameters };
      scene.look(createMapping(scene, { name, uuid, readOnly }, target).device);
    }
    return partitions.length > 0;
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    scene.voice.warn(`the partitions in ${disk.node} cannot be opened: ${headline(error)}`);
    return false;
  }
}

/** Those that lie on the disk; an extended partition only holds others. */
function readPartitions(machine: Machine, { name, node, sizeBytes }: BlockDevice): readonly Partition[] {
  const reader = machine.openReader(node);
  try {
    const all = readPartitionTable(reader, readSectorSize(machine, name))?.partitions ?? [];
    const isHere = ({ start, size, type }: Partition) =>
      size > 0 && (start + size) * 512 <= sizeBytes && !EXTENDED.includes(type);
    return all.filter(isHere).slice(0, MOST_PARTITIONS);
  } finally {
    reader.close();
  }
}
