import { hexDigits, wipe } from "../../../crypto/secret.ts";
import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { type IntegritySuperblock, readIntegritySuperblock } from "../../../formats/containers/integrity.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { IntegrityVolume } from "../../../parameters/crypt/integrity.ts";
import { orIfRefused, tolerateRefusal } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { headline } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { createMapping, isWriteProtected, removeMapping, requireTarget } from "../../device-mapper/mapping.ts";
import { mappingUuid } from "../crypt/lock.ts";
import type { IntegrityParts } from "./parts.ts";

/** integritytab(5). */
const MOST_KEY_BYTES = 4096;
/** A multiple of every block that dm-integrity may have. */
const PLACE_BYTES = 4096;

/** Opens a volume and has the kernel check what the probe reads. Throws BootError if the kernel refuses it, or the checksums do not match. */
export function openIntegrity(context: StorageContext, volume: IntegrityVolume, parts: IntegrityParts): Mapping {
  const { machine, drivers } = context;
  const { name, options } = volume;
  const { node } = parts.device;
  if (isWriteProtected(machine, parts.device))
    refuse(volume, node, "it is write-protected, and the kernel has to write its journal");
  const superblock = readSuperblock(machine, volume, parts);
  requireTarget(context, "integrity");
  for (const part of [...(options.keyFile === null ? [] : ["hmac"]), options.hash])
    drivers.loadByAlias(`crypto-${part}`);
  const key = options.keyFile === null ? null : readKey(machine, volume, node);
  const digits = key === null ? null : hexDigits(key);
  const parameters = formatTable(volume, parts, superblock, digits);
  const mark = machine.kernelLogMark();
  let hasAnswered = false;
  try {
    const request = { name, uuid: mappingUuid("INTEGRITY", "", name), readOnly: false };
    const mapping = createMapping(context, request, { type: "integrity", sectors: superblock.sectors, parameters });
    const device = context.look(mapping.device);
    if (device?.unreadable === null) return mapping;
    if (device !== null && isReadableElsewhere(machine, device)) {
      context.voice.warn(`${device.node}: its first sectors are damaged, other sectors have the right checksums`);
      return mapping;
    }
    hasAnswered = device !== null;
    // One that is in use stays: that is no reason to keep the refusal from the user.
    tolerateRefusal(() => removeMapping(machine, mapping));
  } finally {
    wipe(key, digits, parameters);
  }
  const [line] = machine.kernelLogSince(mark).filter((text) => text.includes("integrity"));
  const why = hasAnswered
    ? `it cannot be read with ${describeHash(volume)}: it was made with another algorithm${key === null ? "" : " or key"}, or the data are damaged`
    : "a disk below it did not answer when it was open, or is gone";
  return refuse(volume, node, line === undefined ? why : `${why} (kernel: ${line})`);
}

/** True if any of a few other places can be read: with the wrong algorithm none can, but an array repairs a sector that is damaged. */
function isReadableElsewhere(machine: Machine, { node, sizeBytes }: BlockDevice): boolean {
  const places = [1, 2, 3].map((quarter) => Math.floor((sizeBytes * quarter) / (4 * PLACE_BYTES)) * PLACE_BYTES);
  const isReadable = (offset: number) =>
    orIfRefused(() => withReader(machine, node, (reader) => reader.read(offset, PLACE_BYTES).length > 0), false);
  return places.some(isReadable);
}

function readSuperblock(
  machine: Machine,
  volume: IntegrityVolume,
  { device, data }: IntegrityParts,
): IntegritySuperblock {
  const superblock = withReader(machine, device.node, (reader) => readIntegritySuperblock(reader, 0));
  if (superblock === null) return refuse(volume, device.node, "it has no dm-integrity superblock");
  const { sectors } = superblock;
  if (sectors === 0 || sectors * 512 > data.sizeBytes)
    refuse(volume, device.node, headline(problem("integrity-size-wrong", { node: data.node, sectors })));
  return superblock;
}

/** Returns the key, which is the caller's to wipe. */
function readKey(machine: Machine, volume: IntegrityVolume, node: string): Uint8Array {
  const path = volume.options.keyFile ?? "";
  const status = machine.stat(path);
  if (status?.kind !== "file") return refuse(volume, node, `the image has no key file ${path}`);
  if (status.size === 0 || status.size > MOST_KEY_BYTES)
    refuse(volume, node, `the key file ${path} must have 1 to ${MOST_KEY_BYTES} bytes`);
  return machine.readFile(path);
}

/** The parameters of Documentation/admin-guide/device-mapper/dm-integrity.rst. */
function formatTable(
  { options: { hash, mode, words } }: IntegrityVolume,
  { device, data }: IntegrityParts,
  { tagBytes, blockBytes }: IntegritySuperblock,
  key: Uint8Array | null,
): Uint8Array {
  const others = [
    ...words,
    ...(device === data ? [] : [`meta_device:${device.number}`]),
    ...(blockBytes === 512 ? [] : [`block_size:${blockBytes}`]),
  ];
  const start = [data.number, 0, tagBytes, mode, others.length + 1, ...others].join(" ");
  const text = (part: string) => new TextEncoder().encode(part);
  if (key === null) return text(`${start} internal_hash:${hash}`);
  return Buffer.concat([text(`${start} internal_hash:hmac(${hash}):`), key]);
}

function describeHash({ options: { hash, keyFile } }: IntegrityVolume): string {
  return keyFile === null ? hash : `hmac-${hash}`;
}

function refuse({ name }: IntegrityVolume, node: string, why: string): never {
  throw problem("integrity-refused", { name, node, why });
}
