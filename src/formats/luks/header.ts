/**
 * What a LUKS header says, versions 1 and 2 in one form: LUKS1 is told as the LUKS2 header that means the same. Everything
 * in it is copied from the device and has been checked; texts are still whatever somebody wrote there, not safe to print.
 */
export interface LuksHeader {
  readonly version: 1 | 2;
  readonly uuid: string;
  /** Empty where there is none, as always with LUKS1. */
  readonly label: string;
  readonly subsystem: string;
  /** LUKS2: counts the changes; null for LUKS1. */
  readonly epoch: bigint | null;
  /** Ascending by number; LUKS1: the active ones. */
  readonly keyslots: readonly Keyslot[];
  readonly digests: readonly Digest[];
  readonly segments: readonly Segment[];
  readonly tokens: readonly Token[];
  /** LUKS2's persistent flags, as "allow-discards". */
  readonly flags: readonly string[];
  /** What a reader must understand or let the device alone, as "online-reencrypt-v2". */
  readonly requirements: readonly string[];
  /** What went another way than it should while the header was read, a sentence each: a damaged copy. */
  readonly warnings: readonly string[];
  /** By keyslot number: the encrypted key material of those that belong to the data, read once. */
  readonly material: ReadonlyMap<number, Uint8Array>;
}

/** How hard a passphrase is to try. */
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
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** One of the places that hold a key, encrypted with a passphrase. */
export interface Keyslot {
  readonly id: number;
  /** "luks2", also for LUKS1; "reencrypt" and unknown ones have no `lock`. */
  readonly type: string;
  /** Of the key it holds. */
  readonly keyBytes: number;
  readonly priority: "ignore" | "normal" | "prefer";
  readonly area: Extent;
  readonly lock: KeyslotLock | null;
}

/** What is needed to open a keyslot. */
export interface KeyslotLock {
  readonly kdf: Kdf;
  /** As "aes-xts-plain64". */
  readonly cipher: string;
  readonly cipherKeyBytes: number;
  /** Of the anti-forensic splitter; its stripes are always 4000. */
  readonly splitHash: string;
}

/** Tells a right key from a wrong one. */
export interface Digest {
  readonly id: number;
  readonly keyslots: readonly number[];
  readonly segments: readonly number[];
  /** null for a type that is not known. */
  readonly check: { readonly kdf: Pbkdf2; readonly value: Uint8Array } | null;
}

/** A part of the data device. */
export interface Segment {
  readonly id: number;
  /** "crypt", "linear", … */
  readonly type: string;
  /** Bytes. */
  readonly offset: bigint;
  /** Bytes; null reaches to the end of the device. */
  readonly size: bigint | null;
  readonly flags: readonly string[];
  /** null for other types. */
  readonly crypt: CryptSegment | null;
}

/** How the data of a segment is encrypted. */
export interface CryptSegment {
  readonly cipher: string;
  /** 512-byte sectors added to the number of each sector. */
  readonly ivOffset: bigint;
  readonly sectorBytes: number;
  /** As "hmac(sha256)" or "aead", on dm-integrity; null without. */
  readonly integrity: string | null;
}

/** A note of some program on how it gets a passphrase, with what it needs for that. */
export interface Token {
  readonly id: number;
  readonly type: string;
  readonly keyslots: readonly number[];
  /** The token's whole JSON object. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Of every keyslot: how often the anti-forensic splitter multiplies the key (LUKS1 specification 6, and all of libcryptsetup). */
export const STRIPES = 4000;
/** Bytes of the unit that areas, offsets and IVs are counted in, whatever sectors the device has. */
export const SECTOR_BYTES = 512;
/** Larger keys are not believed; unbound ones of a kibibyte are. */
export const MAX_KEY_BYTES = 65536;

/** Bytes of the key material that holds a key of `keyBytes`. */
export function splitBytes(keyBytes: number): number {
  return Math.ceil((keyBytes * STRIPES) / SECTOR_BYTES) * SECTOR_BYTES;
}

/** The digest that checks the key of a keyslot, or null. */
export function digestOfKeyslot(header: LuksHeader, keyslot: number): Digest | null {
  return header.digests.find(({ keyslots }) => keyslots.includes(keyslot)) ?? null;
}

/** True where the keyslot holds the key of the data; false for an unbound one. */
export function isBound(header: Pick<LuksHeader, "digests" | "segments">, keyslot: number): boolean {
  const data = header.segments.find(({ flags }) => !isBackup(flags))?.id ?? 0;
  return header.digests.some(({ keyslots, segments }) => keyslots.includes(keyslot) && segments.includes(data));
}

/** True for a segment that only remembers what was before a reencryption. */
export function isBackup(flags: readonly string[]): boolean {
  return flags.some((flag) => flag.startsWith("backup-"));
}
