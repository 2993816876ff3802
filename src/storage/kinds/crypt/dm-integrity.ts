import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import type { Context } from "../../../drivers/context.ts";
import { readIntegritySuperblock } from "../../../formats/containers/integrity.ts";
import type { CryptMapping } from "../../../keys/mapping.ts";
import type { MappingRequest } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import { readText } from "../../../machine/small-files.ts";
import { problem } from "../../../problems/problem.ts";
import { createMapping, requireTarget } from "../../device-mapper/mapping.ts";

interface IntegrityArea extends Pick<CryptMapping, "offsetSectors" | "sectorBytes"> {
  /** Bytes for each sector. */
  readonly tagBytes: number;
  readonly hasJournal: boolean;
}

/** Creates a dm-integrity device on `device`, below dm-crypt. Throws BootError if the kernel refuses, or the superblock is not what the header says. Returns its "major:minor" and its sectors of 512 bytes, fewer than the device has. */
export function createIntegrityMapping(
  context: Context,
  device: BlockDevice,
  area: IntegrityArea,
  request: Pick<MappingRequest, "name" | "uuid" | "readOnly">,
) {
  const { machine } = context;
  requireTarget(context, "integrity");
  const sectors = readDataSectors(machine, device, area);
  const options = area.sectorBytes === 512 ? "0" : `1 block_size:${area.sectorBytes}`;
  const mode = area.hasJournal ? "J" : "D";
  const table = `${device.number} ${area.offsetSectors} ${area.tagBytes} ${mode} ${options}`;
  const target = { type: "integrity", sectors, parameters: new TextEncoder().encode(table) };
  const mapping = createMapping(context, request, target);
  return { mapping, device: readText(machine, `/sys/class/block/${mapping.device}/dev`), sectors };
}

function readDataSectors(machine: Machine, { node }: BlockDevice, { offsetSectors, tagBytes }: IntegrityArea): number {
  return withReader(machine, node, (reader) => {
    const superblock = readIntegritySuperblock(reader, offsetSectors * 512);
    if (superblock?.tagBytes !== tagBytes) throw problem("no-integrity-superblock", { node, tagBytes });
    const { sectors } = superblock;
    if (sectors === 0 || sectors > reader.size / 512) throw problem("integrity-size-wrong", { node, sectors });
    return sectors;
  });
}
