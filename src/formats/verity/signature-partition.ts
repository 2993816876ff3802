import * as v from "valibot";

/** As much of the partition as levain reads: the JSON is a few KiB. */
export const SIGNATURE_PARTITION_BYTES = 64 << 10;

const CONTENT = v.object({
  rootHash: v.pipe(v.string(), v.regex(/^[0-9a-fA-F]+$/)),
  signature: v.pipe(v.string(), v.nonEmpty(), v.base64()),
});

/**
 * Reads the signature of a root hash (PKCS #7) from the beginning of a verity signature partition of the Discoverable Partitions
 * Specification: JSON, filled up with NULs. null for any other content, and for that of another root hash.
 */
export function readSignaturePartition(bytes: Uint8Array, rootHash: string): Uint8Array | null {
  if (bytes[0] !== "{".charCodeAt(0)) return null;
  const end = bytes.indexOf(0);
  const text = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), CONTENT), text);
  if (!result.success || result.output.rootHash.toLowerCase() !== rootHash) return null;
  return Uint8Array.fromBase64(result.output.signature);
}
