import { type BlockDevice, listBlockDeviceNames, readDeviceEntry, withReader } from "../../../devices/block-devices.ts";
import type { ByteSource } from "../../../formats/facts.ts";
import { readSignaturePartition, SIGNATURE_PARTITION_BYTES } from "../../../formats/verity/signature-partition.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { VerityOptions } from "../../../parameters/verity.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import type { StorageContext } from "../../contract.ts";

/** A key of the kernel has at most this many bytes (security/keys/user_defined.c). */
export const MOST_SIGNATURE_BYTES = 32_767;

/**
 * Looks for the signature of a root hash on the disk of `data`: in its verity signature partition, which is known by its content.
 * Returns null if there is none. Whose signature it is, the kernel decides.
 */
export function findSignature(context: DiskContext, data: BlockDevice, rootHash: string): Uint8Array | null {
  for (const { node, facts, unreadable } of listBeside(context, data)) {
    if (unreadable !== null || facts.type !== null) continue;
    const read = (reader: ByteSource) => readSignaturePartition(reader.read(0, SIGNATURE_PARTITION_BYTES), rootHash);
    const signature = orIfRefused(() => withReader(context.machine, node, read), null);
    if (signature !== null && signature.length <= MOST_SIGNATURE_BYTES) return signature;
  }
  return null;
}

type DiskContext = Pick<StorageContext, "machine" | "devices">;

/** Lists the partitions of the disk of `data` that have answered; none if it is no partition. */
export function listBeside({ devices }: DiskContext, { partition }: BlockDevice): readonly BlockDevice[] {
  return partition === null ? [] : devices().filter((one) => one.partition?.disk === partition.disk);
}

/** True if every partition of the disk of `data` has answered. */
export function hasAllPartitions(context: DiskContext, data: BlockDevice): boolean {
  const { machine } = context;
  const known = listBeside(context, data).map(({ name }) => name);
  const isOnDisk = (name: string) => readDeviceEntry(machine, name)?.partition?.disk === data.partition?.disk;
  return (
    data.partition === null || listBlockDeviceNames(machine).every((name) => known.includes(name) || !isOnDisk(name))
  );
}

/** Returns the bytes of a signature; null without one. Throws BootError if the image has no such file, or it is too long. */
export function readSignature(machine: Machine, from: VerityOptions["signature"]): Uint8Array | null {
  if (from === null) return null;
  if ("base64" in from) return Uint8Array.fromBase64(from.base64);
  const status = machine.stat(from.path);
  if (status?.kind !== "file" || status.size > MOST_SIGNATURE_BYTES) {
    throw problem("verity-signature-missing", { name: from.path });
  }
  return machine.readFile(from.path);
}
