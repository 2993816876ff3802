import { readText } from "../../../devices/block-devices.ts";
import type { Context } from "../../../drivers/context.ts";
import { holds, le16, le64 } from "../../../formats/bytes.ts";
import type { IntegrityTarget } from "../../../keys/crypt-target.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import { problem } from "../../../problems/problem.ts";
import { createMapping } from "../../device-mapper/mapping.ts";
import { requireTarget } from "../../device-mapper/target.ts";

/** A dm-integrity device to create below dm-crypt. */
export interface IntegrityRequest {
  /** Of the volume above; the device is NAME_dif. */
  readonly name: string;
  /** As device mapper will know it. */
  readonly uuid: string;
  readonly readOnly: boolean;
  readonly integrity: IntegrityTarget;
  readonly node: string;
  /** "major:minor" of the node. */
  readonly device: string;
  /** Where dm-integrity's superblock lies, in sectors of 512 bytes. */
  readonly offsetSectors: number;
  readonly sectorBytes: number;
  readonly hasJournal: boolean;
}

/** A dm-integrity device that was created. */
export interface IntegrityDevice {
  /** "major:minor" */
  readonly device: string;
  readonly mapping: Mapping;
  /** In sectors of 512 bytes; fewer than the device has, because of tags and journal. */
  readonly sectors: number;
}

const SUPERBLOCK_BYTES = 512;

/** Creates a dm-integrity device. Throws BootError if the kernel refuses, or the superblock is not what the header says. */
export function createIntegrityMapping(context: Context, request: IntegrityRequest): IntegrityDevice {
  requireTarget(context, "integrity");
  const sectors = readDataSectors(context.machine, request);
  const { name, uuid, readOnly, device, offsetSectors, sectorBytes, integrity, hasJournal } = request;
  const options = sectorBytes === 512 ? "0" : `1 block_size:${sectorBytes}`;
  const mode = hasJournal ? "J" : "D";
  const table = `${device} ${offsetSectors} ${integrity.tagBytes} ${mode} ${options}`;
  const parameters = new TextEncoder().encode(table);
  const mapping = createMapping(
    context,
    { name: `${name}_dif`, uuid, readOnly },
    { type: "integrity", sectors, parameters },
  );
  return { mapping, device: readText(context.machine, `/sys/class/block/${mapping.device}/dev`), sectors };
}

/** provided_data_sectors of struct superblock (drivers/md/dm-integrity.c). */
function readDataSectors(machine: Machine, { node, offsetSectors, integrity }: IntegrityRequest): number {
  const reader = machine.openReader(node);
  try {
    const block = reader.read(offsetSectors * 512, SUPERBLOCK_BYTES);
    const isOurs = block.length === SUPERBLOCK_BYTES && holds(block, 0, "integrt\0");
    if (!isOurs || le16(block, 10) !== integrity.tagBytes) {
      throw problem("no-integrity-superblock", { node, tagBytes: integrity.tagBytes });
    }
    const sectors = Number(le64(block, 16));
    if (sectors === 0 || sectors > reader.size / 512) {
      throw problem("integrity-size-wrong", { node, sectors });
    }
    return sectors;
  } finally {
    reader.close();
  }
}
