import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
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
export function findSignature(
  { machine, devices }: Pick<StorageContext, "machine" | "devices">,
  { partition }: BlockDevice,
  rootHash: string,
): Uint8Array | null {
  const siblings = devices().filter(
    (one) => partition !== null && one.partition?.disk === partition.disk && one.facts.type === null,
  );
  for (const { node, unreadable } of siblings) {
    if (unreadable !== null) continue;
    const read = (reader: ByteSource) => readSignaturePartition(reader.read(0, SIGNATURE_PARTITION_BYTES), rootHash);
    const signature = orIfRefused(() => withReader(machine, node, read), null);
    if (signature !== null && signature.length <= MOST_SIGNATURE_BYTES) return signature;
  }
  return null;
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
