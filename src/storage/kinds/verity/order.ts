import type { VerityOptions } from "../../../parameters/verity.ts";

/** A block device with a part of a verified volume. */
export interface VerityPart {
  readonly node: string;
  /** "major:minor". */
  readonly number: string;
  readonly sizeBytes: number;
  /** What a message calls it: the path of an image, else its node. */
  readonly name: string;
}

/** What is to be verified, and by what. */
export interface VerityOrder {
  /** Of /dev/mapper/NAME. */
  readonly mapping: string;
  readonly rootHash: string;
  readonly options: VerityOptions;
  /** PKCS #7; null: none. */
  readonly signature: Uint8Array | null;
  readonly data: VerityPart;
  /** May be the same device. */
  readonly hashes: VerityPart;
  readonly fec: VerityPart | null;
}
