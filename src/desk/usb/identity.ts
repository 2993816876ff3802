import { createHash } from "node:crypto";

/** Gives a disk the identifiers that are usually random; the same seed gives the same ones. */
export interface Identity {
  bytes(purpose: string, length: number): Uint8Array;
  uuid(purpose: string): string;
  /** Eight hexadecimal digits: the serial number of a FAT, the identifier of a dos partition table. */
  serial(purpose: string): string;
}

/** Creates the identifiers of a disk, each a hash of the seed and its purpose. */
export function createIdentity(seed: Uint8Array): Identity {
  const digest = (purpose: string) => createHash("sha256").update(seed).update(`\0${purpose}`).digest();
  return {
    bytes: (purpose, length) => new Uint8Array(digest(purpose).subarray(0, length)),
    uuid: (purpose) => formatUuid(digest(purpose)),
    serial: (purpose) => digest(purpose).toString("hex", 0, 4),
  };
}

/** Formats a hash as a UUID of version 8, which is for such values (RFC 9562, 5.8). */
function formatUuid(hash: Buffer): string {
  const hex = hash.toString("hex", 0, 16);
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return `${parts.join("-")}-${hex.slice(20, 32)}`;
}
