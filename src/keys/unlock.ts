import { equalSecrets, wipe } from "../crypto/secret.ts";
import { digestOfKeyslot, isBound, type Keyslot, type LuksHeader, STRIPES } from "../formats/luks/header.ts";
import { problem } from "../problems/problem.ts";
import { mergeStripes } from "./anti-forensic.ts";
import type { DeriveKey } from "./kdf.ts";
import {
  findDecryptor,
  findObstacle,
  type Limits,
  lacksMemory,
  refuseRequirements,
  refuseWaiting,
} from "./obstacles.ts";

/** What decides which keyslots are tried. */
export interface KeyslotChoice extends Limits {
  /** Only this keyslot, even if its priority is "ignore"; null for all except ignored ones. */
  readonly keyslot: number | null;
}

/** Options of trying a passphrase. */
export type UnlockOptions = KeyslotChoice & { readonly deriveKey: DeriveKey };

/** Result of trying a passphrase. */
export type Unlocked =
  /** The caller wipes the key. */
  | { readonly kind: "unlocked"; readonly volumeKey: Uint8Array; readonly keyslot: number }
  | { readonly kind: "wrong-passphrase" };

/**
 * Tries a passphrase on the keyslots of the data, those with priority "prefer" first, and returns the key of the first that it
 * opens. Throws BootError if no keyslot can be tried, with the reason for each one, and for unknown requirements. The caller
 * wipes the passphrase.
 */
export function unlock(header: LuksHeader, passphrase: Uint8Array, options: UnlockOptions): Unlocked {
  for (const slot of usableKeyslots(header, options)) {
    const volumeKey = openKeyslot(header, slot, passphrase, options);
    if (volumeKey !== null) return { kind: "unlocked", volumeKey, keyslot: slot.id };
  }
  return { kind: "wrong-passphrase" };
}

/** Returns the keyslots that can be tried, in order: to be checked before a prompt. Throws BootError as `unlock` does if there is none. */
export function usableKeyslots(header: LuksHeader, { keyslot, ...limits }: KeyslotChoice): readonly Keyslot[] {
  refuseRequirements(header);
  const slots = keyslotsToTry(header, keyslot);
  const obstacles = new Map(slots.map((slot) => [slot, findObstacle(header, slot, limits)]));
  const usable = slots.filter((slot) => obstacles.get(slot) === null);
  if (usable.length > 0) {
    refuseWaiting(header, usable, limits);
    return usable;
  }
  const ignored = keyslot === null ? header.keyslots.filter(({ priority }) => priority === "ignore") : [];
  const reasons = [
    ...slots.map((slot) => `keyslot ${slot.id} ${obstacles.get(slot)?.reason ?? ""}`),
    ...ignored.map(({ id }) => `keyslot ${id} has the priority "ignore": key-slot=${id} tries it`),
  ];
  const none = keyslot === null ? "no keyslot is in use" : `there is no keyslot ${keyslot}`;
  const isShort = slots.some(({ lock }) => lock !== null && lacksMemory(lock.kdf, limits));
  throw problem("no-usable-keyslot", { lacksMemory: isShort }, { seen: reasons.length > 0 ? reasons : [none] });
}

/** Lists the keyslots of the data that `unlock` skips, each with the reason: a passphrase that opens no other keyslot may belong to them. */
export function listUntried(header: LuksHeader, { keyslot, ...limits }: KeyslotChoice): readonly string[] {
  const slots = keyslotsToTry(header, keyslot).filter(({ id, lock }) => lock !== null && isBound(header, id));
  return slots.flatMap((slot) => {
    const obstacle = findObstacle(header, slot, limits);
    return obstacle === null ? [] : [`keyslot ${slot.id} ${obstacle.reason}`];
  });
}

/** Returns the keyslots in the order in which they are tried. */
export function keyslotsToTry({ keyslots }: LuksHeader, only: number | null): readonly Keyslot[] {
  if (only !== null) return keyslots.filter(({ id }) => id === only);
  return (["prefer", "normal"] as const).flatMap((wanted) => keyslots.filter(({ priority }) => priority === wanted));
}

/** Returns the key in a keyslot without obstacle, or null for a wrong passphrase. */
function openKeyslot(header: LuksHeader, slot: Keyslot, passphrase: Uint8Array, options: UnlockOptions) {
  const { id, keyBytes, lock } = slot;
  const { deriveKey, decryptors, findHash } = options;
  const material = header.material.get(id);
  const found = lock && findDecryptor(lock.cipher, lock.cipherKeyBytes, decryptors);
  if (!lock || !found || material === undefined) return null;
  let areaKey: Uint8Array | null = null;
  let split: Uint8Array | null = null;
  let volumeKey: Uint8Array | null = null;
  let isRight = false;
  try {
    areaKey = deriveKey(lock.kdf, passphrase, lock.cipherKeyBytes);
    split = found.decryptor.decrypt(found.spec, areaKey, material);
    volumeKey = mergeStripes(split, keyBytes, STRIPES, lock.splitHash, findHash);
    isRight = isVolumeKey(header, id, volumeKey, deriveKey);
    return isRight ? volumeKey : null;
  } finally {
    wipe(areaKey, split, isRight ? null : volumeKey);
  }
}

/** True if the digest of the keyslot was made of `key`. A digest may be as costly as a keyslot. */
function isVolumeKey(header: LuksHeader, keyslot: number, key: Uint8Array, deriveKey: DeriveKey): boolean {
  const check = digestOfKeyslot(header, keyslot)?.check;
  if (!check) return false;
  const digest = deriveKey(check.kdf, key, check.value.length);
  try {
    return equalSecrets(digest, check.value);
  } finally {
    wipe(digest);
  }
}
