import type { Mapping } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import { readText } from "../../../machine/small-files.ts";
import { listBelow } from "../../device-mapper/mapping.ts";

/** What a secret is: a typed passphrase, or the bytes of a key file. */
export type SecretKind = "passphrase" | "key";

/** A volume whose format is known, LUKS or plain. */
export interface Lock {
  /** Of /dev/mapper/NAME. */
  readonly name: string;
  /** What it is, in words: `LUKS2, "label"`; safe to print. */
  readonly text: string;
  /** True if nothing in the volume itself proves that a key is right. */
  readonly isGuess: boolean;
  /** True for a device that is this volume, opened earlier. */
  isMapping(mapping: Mapping): boolean;
  /** Throws BootError if no secret could open it: the user should know before typing one. */
  check(): void;
  /** Makes the device; null if the secret, which stays the caller's to wipe, is wrong. Throws BootError if the device cannot be made. */
  open(secret: Uint8Array, kind: SecretKind): Mapping | null;
}

const MAX_UUID_BYTES = 128;

/** Returns the uuid of a mapping as libcryptsetup gives it (dm_prepare_uuid), cut if it is too long. */
export function mappingUuid(type: string, uuid: string, name: string): string {
  const parts = ["CRYPT", type, ...(uuid === "" ? [] : [bareUuid(uuid)]), name];
  const bytes = new TextEncoder().encode(parts.join("-"));
  return new TextDecoder().decode(bytes.subarray(0, MAX_UUID_BYTES)).replace(/\ufffd$/, "");
}

/** Returns a UUID without its dashes. */
export function bareUuid(uuid: string): string {
  return uuid.replaceAll("-", "");
}

/** True if a mapping was made of the device with that kernel name: directly, or with libcryptsetup's dm-integrity device between them. */
export function isMadeOf(machine: Machine, { device }: Mapping, name: string): boolean {
  return listBelow(machine, device).some(
    (below) => below === name || (isIntegrityPart(machine, below) && listBelow(machine, below).includes(name)),
  );
}

function isIntegrityPart(machine: Machine, device: string): boolean {
  const path = `/sys/class/block/${device}/dm/uuid`;
  return machine.stat(path) !== null && /^CRYPT-(?:SUBDEV|INTEGRITY)-/.test(readText(machine, path));
}
