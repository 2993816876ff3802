import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { BytesPlace } from "../../../parameters/crypt/place.ts";
import type { CryptVolume } from "../../../plan/plan.ts";
import type { BootError } from "../../../problems/errors.ts";
import type { Lock } from "./lock.ts";

// How far a volume is, as plain values: each transition returns a new one. `next-action.ts` decides what is done next, and
// `volume.ts` does it. Nothing here asks the machine.

/** A place with a key on one of the devices that it may mean; null: in the image. */
export interface KeySource {
  readonly place: BytesPlace;
  readonly device: BlockDevice | null;
}

/** What was tried on one device. */
export interface Attempt {
  readonly device: BlockDevice;
  /** null before the header is read, and while it is on a device that is missing. */
  readonly lock: Lock | null;
  readonly triedKeys: readonly KeySource[];
  /** How many of the passphrases that were typed have been tried. */
  readonly triedPassphrases: number;
  /** True if no secret can open it. */
  readonly isRefused: boolean;
}

/** How it ended; an opening is proven unless a typed passphrase was accepted that nothing can check, and adopted if the mapping was there before. */
export type Outcome =
  | { readonly kind: "locked" }
  | { readonly kind: "open"; readonly mapping: Mapping; readonly isProven: boolean; readonly isAdopted: boolean }
  | { readonly kind: "failed"; readonly error: BootError };

/** A volume to open, and how far that is. */
export interface Volume {
  readonly wish: CryptVolume;
  /** What asks for it: a parameter of its own, rd.auto, or a root= that is a LUKS volume itself. */
  readonly origin: "asked" | "auto" | "root";
  /** null while no device matches. */
  readonly attempt: Attempt | null;
  /** On other devices that match as well. */
  readonly others: readonly Attempt[];
  /** True once several devices have matched. */
  readonly isAmbiguous: boolean;
  /** When the device was first seen, as `nowMs` counts. */
  readonly sinceMs: number;
  /** How often the user was asked. */
  readonly asked: number;
  /** True if the last answer did not open it; a mount that failed may have other reasons. */
  readonly wasWrong: boolean;
  readonly outcome: Outcome;
}

/** A volume of which nothing has been seen yet; `asked`: how often the user was asked in vain before. */
export function newVolume(wish: CryptVolume, origin: Volume["origin"], asked: number): Volume {
  const nothing = { attempt: null, others: [], isAmbiguous: false, sinceMs: Number.NaN };
  return { wish, origin, ...nothing, asked, wasWrong: false, outcome: { kind: "locked" } };
}

/**
 * After a look at the devices that match. The device in use stays while it is present, else an open one is chosen (the user has
 * opened it), else the first. What is known of a device that went away is forgotten, for the next one may have its name and number
 * but another header and key.
 */
export function seen(
  volume: Volume,
  found: readonly BlockDevice[],
  nowMs: number,
  isOpen: (device: BlockDevice) => boolean,
): Volume {
  const current = volume.attempt?.device ?? null;
  const open = found.length > 1 && current === null ? found.find(isOpen) : undefined;
  const chosen = found.find((one) => one === current) ?? open ?? found[0] ?? null;
  const isAmbiguous = volume.isAmbiguous || found.length > 1;
  if (chosen === current) return { ...volume, isAmbiguous };
  return { ...switched(volume, chosen, found), isAmbiguous, sinceMs: nowMs, wasWrong: false };
}

/** After the choice of a device among those that match; what was tried on them before is remembered. */
export function switched(volume: Volume, device: BlockDevice | null, found: readonly BlockDevice[]): Volume {
  const known = [...(volume.attempt === null ? [] : [volume.attempt]), ...volume.others];
  const others = known.filter((attempt) => attempt.device !== device && found.includes(attempt.device));
  const untried = { lock: null, triedKeys: [], triedPassphrases: 0, isRefused: false };
  const attempt = known.find((one) => one.device === device) ?? (device && { device, ...untried });
  return { ...volume, attempt, others };
}

/** After something was learned about the device in use. */
export function changeAttempt(volume: Volume, change: Partial<Attempt>): Volume {
  return volume.attempt === null ? volume : { ...volume, attempt: { ...volume.attempt, ...change } };
}

/** After a mapping of it was made. */
export function opened(volume: Volume, mapping: Mapping, isProven = true): Volume {
  return { ...volume, outcome: { kind: "open", mapping, isProven, isAdopted: false } };
}

/** After a mapping of it was found. */
export function adopted(volume: Volume, mapping: Mapping): Volume {
  return { ...volume, outcome: { kind: "open", mapping, isProven: true, isAdopted: true } };
}

/** After an error that ends all tries. */
export function failed(volume: Volume, error: BootError): Volume {
  return { ...volume, outcome: { kind: "failed", error } };
}

/** After the user has typed a passphrase, which counts as wrong until it opens the volume. */
export function asked(volume: Volume): Volume {
  return { ...volume, asked: volume.asked + 1, wasWrong: true };
}
