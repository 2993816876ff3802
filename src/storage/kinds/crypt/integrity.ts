import { holds, le16, le64 } from "../../../formats/bytes.ts";
import type { IntegrityTarget } from "../../../keys/crypt-target.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import { readText } from "../../../machine/small-files.ts";
import { BootError } from "../../../problems/errors.ts";
import { createMapping } from "../../mapping.ts";
import { requireTarget } from "../../mapping-target.ts";
import type { Scene } from "../../opener.ts";

/** A dm-integrity device to make below dm-crypt. */
export interface IntegrityRequest {
  /** Of the volume above; the device is NAME_dif. */
  readonly name: string;
  /** As device mapper is to know it. */
  readonly uuid: string;
  readonly readOnly: boolean;
  readonly integrity: IntegrityTarget;
  readonly node: string;
  /** "major:minor" of the node. */
  readonly device: string;
  /** Of 512 bytes: where dm-integrity's superblock lies. */
  readonly offsetSectors: number;
  readonly sectorBytes: number;
  readonly hasJournal: boolean;
}

/** What lies below dm-crypt then. */
export interface IntegrityDevice {
  /** "major:minor" */
  readonly device: string;
  readonly mapping: Mapping;
  /** Of 512 bytes, less than the device has: tags and journal take their part. */
  readonly sectors: number;
}

const SUPERBLOCK_BYTES = 512;

/** Makes it. Throws BootError where the kernel cannot, or the superblock is not what the header says. */
export function createIntegrityMapping(
  tools: Pick<Scene, "machine" | "modules" | "voice" | "undo">,
  request: IntegrityRequest,
): IntegrityDevice {
  requireTarget(tools, "integrity");
  const sectors = readDataSectors(tools.machine, request);
  const { name, uuid, readOnly, device, offsetSectors, sectorBytes, integrity, hasJournal } = request;
  const options = sectorBytes === 512 ? "0" : `1 block_size:${sectorBytes}`;
  const mode = hasJournal ? "J" : "D";
  const table = `${device} ${offsetSectors} ${integrity.tagBytes} ${mode} ${options}`;
  const parameters = new TextEncoder().encode(table);
  const mapping = createMapping(
    tools,
    { name: `${name}_dif`, uuid, readOnly },
    { type: "integrity", sectors, parameters },
  );
  return { mapping, device: readText(tools.machine, `/sys/class/block/${mapping.device}/dev`), sectors };
}

/** provided_data_sectors of struct superblock (drivers/md/dm-integrity.c). */
function readDataSectors(machine: Machine, { node, offsetSectors, integrity }: IntegrityRequest): number {
  const reader = machine.openReader(node);
  try {
    const block = reader.read(offsetSectors * 512, SUPERBLOCK_BYTES);
    const isOurs = block.length === SUPERBLOCK_BYTES && holds(block, 0, "integrt\0");
    if (!isOurs || le16(block, 10) !== integrity.tagBytes) {
      throw new BootError(`there is no dm-integrity superblock on ${node} with tags of ${integrity.tagBytes} bytes`);
    }
    const sectors = Number(le64(block, 16));
    if (sectors === 0 || sectors > reader.size / 512) {
      throw new BootError(`the dm-integrity superblock on ${node} tells of ${sectors} sectors, which it has not`);
    }
    return sectors;
  } finally {
    reader.close();
  }
}
