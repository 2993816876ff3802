import type { Mapping } from "../../../machine/encryption.ts";

/** What a secret is: a person's words, or the bytes of a key file. */
export type SecretKind = "passphrase" | "key";

/** A volume whose format is known, LUKS or plain. */
export interface Lock {
  /** Of /dev/mapper/NAME. */
  readonly name: string;
  /** What it is, in words: `LUKS2, "label"`; safe to print. */
  readonly text: string;
  /** True where nothing of the volume itself says that a key is right. */
  readonly isGuess: boolean;
  /** True for a device that is this volume, opened before by whomever. */
  isMapping(mapping: Mapping): boolean;
  /** Throws BootError where no secret could open it: worth to know before a person is asked. */
  check(): void;
  /** Makes the device; null where the secret, which stays the caller's to wipe, is wrong. Throws BootError where it cannot be made. */
  open(secret: Uint8Array, kind: SecretKind): Mapping | null;
}

const MAX_UUID_BYTES = 128;

/** The uuid of a mapping as libcryptsetup gives it (dm_prepare_uuid), cut where it is too long. */
export function mappingUuid(type: string, uuid: string, name: string): string {
  const parts = ["CRYPT", type, ...(uuid === "" ? [] : [bareUuid(uuid)]), name];
  const bytes = new TextEncoder().encode(parts.join("-"));
  return new TextDecoder().decode(bytes.subarray(0, MAX_UUID_BYTES)).replace(/\ufffd$/, "");
}

/** Without its dashes. */
export function bareUuid(uuid: string): string {
  return uuid.replaceAll("-", "");
}
