import { BootError } from "../../problems/errors.ts";
import { isUuid } from "../bytes.ts";

/**
 * A LUKS header of version 1 or 2 in one form: LUKS1 is described as the equivalent LUKS2 header. All of it is copied from the
 * device and checked, but its texts are not safe to print: anyone may have written them.
 */
export interface LuksHeader {
  readonly version: 1 | 2;
  readonly uuid: string;
  /** Empty if there is none, as always with LUKS1. */
  readonly label: string;
  readonly subsystem: string;
  /** Number of changes; null for LUKS1. */
  readonly epoch: bigint | null;
  /** Ascending by number; only the active ones of LUKS1. */
  readonly keyslots: readonly Keyslot[];
  readonly digests: readonly Digest[];
  readonly segments: readonly Segment[];
  readonly tokens: readonly Token[];
  /** LUKS2's persistent flags, as "allow-discards". */
  readonly flags: readonly string[];
  /** Features that a program must support to use the device, as "online-reencrypt-v2". */
  readonly requirements: readonly string[];
  /** Problems that did not stop the reading, a sentence each: a damaged copy. */
  readonly warnings: readonly string[];
  /** The encrypted key material of the keyslots that belong to the data, by their numbers. */
  readonly material: ReadonlyMap<number, Uint8Array>;
}

/** Key derivation function. */
export type Kdf = Pbkdf2 | Argon2 | { readonly type: "unknown"; readonly name: string };

/** PBKDF2 with HMAC (RFC 8018). */
export interface Pbkdf2 {
  readonly type: "pbkdf2";
  readonly hash: string;
  readonly iterations: number;
  readonly salt: Uint8Array;
}

/** Argon2 version 1.3 (RFC 9106). */
export interface Argon2 {
  readonly type: "argon2i" | "argon2id";
  readonly passes: number;
  readonly memoryKib: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
}

/** A part of the header's device, in bytes. */
interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** A keyslot: a key that is encrypted with a passphrase. */
export interface Keyslot {
  readonly id: number;
  /** "luks2", also for LUKS1; "reencrypt" and unknown types have no `lock`. */
  readonly type: string;
  /** Of the key in it. */
  readonly keyBytes: number;
  readonly priority: "ignore" | "normal" | "prefer";
  readonly area: Extent;
  readonly lock: KeyslotLock | null;
}

/** How a keyslot is opened. */
export interface KeyslotLock {
  readonly kdf: Kdf;
  /** As "aes-xts-plain64". */
  readonly cipher: string;
  readonly cipherKeyBytes: number;
  /** Hash of the anti-forensic splitter; its stripes are always 4000. */
  readonly splitHash: string;
}

/** Tells a right key from a wrong one. */
export interface Digest {
  readonly id: number;
  readonly keyslots: readonly number[];
  readonly segments: readonly number[];
  /** null for an unknown type. */
  readonly check: { readonly kdf: Pbkdf2; readonly value: Uint8Array } | null;
}

/** A part of the data device. */
export interface Segment {
  readonly id: number;
  /** "crypt", "linear", … */
  readonly type: string;
  /** Bytes. */
  readonly offset: bigint;
  /** Bytes; null for the rest of the device. */
  readonly size: bigint | null;
  readonly flags: readonly string[];
  /** null for other types. */
  readonly crypt: CryptSegment | null;
}

/** How the data of a segment are encrypted. */
export interface CryptSegment {
  readonly cipher: string;
  /** Added to the number of each sector for its IV, in sectors of 512 bytes. */
  readonly ivOffset: bigint;
  readonly sectorBytes: number;
  /** As "hmac(sha256)" or "aead", on dm-integrity; null without integrity. */
  readonly integrity: string | null;
}

/** A note of a program about how it gets a passphrase. */
export interface Token {
  readonly id: number;
  readonly type: string;
  readonly keyslots: readonly number[];
  /** The token's whole JSON object. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Factor by which the anti-forensic splitter multiplies the key of every keyslot (LUKS1 specification 6, and all of libcryptsetup). */
export const STRIPES = 4000;
/** Unit of areas, offsets and IVs in bytes, whatever sectors the device has. */
export const SECTOR_BYTES = 512;
/** Larger keys are refused; unbound keys of a kibibyte exist. */
export const MAX_KEY_BYTES = 65536;

/** Returns the bytes of the key material for a key of `keyBytes`. */
export function splitBytes(keyBytes: number): number {
  return Math.ceil((keyBytes * STRIPES) / SECTOR_BYTES) * SECTOR_BYTES;
}

/** Returns the digest that checks the key of a keyslot, or null. */
export function digestOfKeyslot(header: LuksHeader, keyslot: number): Digest | null {
  return header.digests.find(({ keyslots }) => keyslots.includes(keyslot)) ?? null;
}

/** True if the keyslot has the key of the data; false for an unbound one. */
export function isBound(header: Pick<LuksHeader, "digests" | "segments">, keyslot: number): boolean {
  const data = header.segments.find(({ flags }) => !isBackup(flags))?.id ?? 0;
  return header.digests.some(({ keyslots, segments }) => keyslots.includes(keyslot) && segments.includes(data));
}

/** True for a segment that only describes the state before a reencryption. */
export function isBackup(flags: readonly string[]): boolean {
  return flags.some((flag) => flag.startsWith("backup-"));
}

/** Throws BootError with their names if two extents overlap. There are 33 at most. */
export function checkApart(extents: readonly (Extent & { readonly name: string })[]): void {
  const sorted = [...extents].sort((one, other) => one.offset - other.offset);
  for (const [index, { name, offset }] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before !== undefined && before.offset + before.size > offset) {
      throw new BootError(`the areas of ${before.name} and ${name} overlap`);
    }
  }
}

/**
 * Returns the text if it is a UUID, and throws BootError otherwise. It becomes part of a device-mapper table and of names of devices
 * and keys, into which any other text could inject something; libcryptsetup refuses it too (dm_prepare_uuid, by libuuid's uuid_parse).
 */
export function requireUuid(text: string): string {
  if (!isUuid(text)) throw new BootError("its UUID is not valid");
  return text;
}
