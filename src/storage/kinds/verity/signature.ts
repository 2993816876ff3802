import type { Machine } from "../../../machine/machine.ts";
import type { VerityOptions } from "../../../parameters/verity.ts";
import { problem } from "../../../problems/problem.ts";

/** A key of the kernel has at most this many bytes (security/keys/user_defined.c). */
export const MOST_SIGNATURE_BYTES = 32_767;

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
