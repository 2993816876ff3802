import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { BytesPlace } from "../../../parameters/crypt/settings.ts";
import { changeAttempt, type KeySource, switched, type Volume } from "./state.ts";

/** What there is to try with now. */
export interface View {
  /** How many passphrases were typed so far, for any volume. */
  readonly passphrases: number;
  /** The devices that match. */
  readonly found: readonly BlockDevice[];
  /** Returns the keys that can be read. It may mount every filesystem to look for a key file, so it is called only for a device that a key can open. */
  readonly sources: () => readonly KeySource[];
  readonly nowMs: number;
  /** What was done with the device in this round. */
  readonly done: ReadonlySet<Action["kind"]>;
}

/** What is done next: rest (nothing can be done), wait (for a device with a key or header), ask the user, read the header, check what is open and what the kernel lacks, or a try. */
export type Action =
  | { readonly kind: "rest" | "wait" | "ask" | "prepare" | "check" | "give up" }
  | { readonly kind: "key"; readonly source: KeySource }
  | { readonly kind: "passphrase"; readonly index: number }
  | { readonly kind: "switch"; readonly device: BlockDevice };

/** Decides what is done next. */
export function nextAction(volume: Volume, view: View): Action {
  const { attempt, outcome } = volume;
  if (attempt === null || outcome.kind !== "locked") return { kind: "rest" };
  const mayWait = msLeft(volume, view.nowMs) > 0;
  if (attempt.lock === null && !view.done.has("prepare")) return { kind: "prepare" };
  if (attempt.lock === null) return { kind: mayWait ? "wait" : "rest" };
  if (!view.done.has("check")) return { kind: "check" };
  const sources = view.sources();
  const [source] = untriedKeys(volume, sources);
  if (source !== undefined) return { kind: "key", source };
  if (attempt.triedPassphrases < view.passphrases) return { kind: "passphrase", index: attempt.triedPassphrases };
  const device = nextDevice(volume, view);
  if (device !== null) return { kind: "switch", device };
  if (isOutOfTries(volume)) return { kind: "give up" };
  return { kind: mayWait && pendingKeys(volume, sources).length > 0 ? "wait" : "ask" };
}

/** The state in which an action is done: a key or passphrase that makes the device fail counts as tried. */
export function begun(volume: Volume, action: Action, found: readonly BlockDevice[]): Volume {
  const { attempt } = volume;
  if (attempt === null) return volume;
  if (action.kind === "switch") return switched(volume, action.device, found);
  if (action.kind === "key") return changeAttempt(volume, { triedKeys: [...attempt.triedKeys, action.source] });
  return action.kind === "passphrase" ? changeAttempt(volume, { triedPassphrases: action.index + 1 }) : volume;
}

/**
 * Returns the next device that matches and on which not every key and passphrase was tried. A UUID is public: the right device is
 * the one that the secret opens, not the first.
 */
export function nextDevice(volume: Volume, { found, passphrases }: Pick<View, "found" | "passphrases">) {
  const isUntried = (device: BlockDevice) => {
    const known = volume.others.find((attempt) => attempt.device === device);
    if (known !== undefined) return !known.isRefused && known.triedPassphrases < passphrases;
    return passphrases > 0 || volume.wish.keys.length > 0 || volume.attempt?.isRefused === true;
  };
  return found.find((device) => device !== volume.attempt?.device && isUntried(device)) ?? null;
}

/** Of one key: a device that keeps changing must not hold up the prompt. */
const MOST_SOURCES = 16;

/** Returns the keys that can be read and were not tried, from each device that their place matches: anyone can label a stick. */
export function untriedKeys({ attempt }: Volume, sources: readonly KeySource[]): readonly KeySource[] {
  const tried = (place: BytesPlace) => attempt?.triedKeys.filter((key) => key.place === place) ?? [];
  return sources.filter(
    ({ place, device }) => tried(place).length < MOST_SOURCES && tried(place).every((key) => key.device !== device),
  );
}

/** Returns the keys whose devices have not come. */
export function pendingKeys({ wish, attempt }: Volume, sources: readonly KeySource[]): readonly BytesPlace[] {
  const known = [...(attempt?.triedKeys ?? []), ...sources];
  return wish.keys.filter((place) => known.every((key) => key.place !== place));
}

/** Returns the milliseconds that are left to wait for a device with a key or header. */
export function msLeft({ wish, sinceMs }: Volume, nowMs: number): number {
  return wish.keyTimeoutMs === null ? Number.POSITIVE_INFINITY : sinceMs + wish.keyTimeoutMs - nowMs;
}

/** True if the user must not be asked again. */
export function isOutOfTries({ wish, asked: count }: Volume): boolean {
  return wish.tries > 0 && count >= wish.tries;
}

/** True if a root that is present does not wait for it: no parameter names it, or one calls it optional. */
export function isDispensable({ wish, origin }: Volume): boolean {
  return wish.isOptional || origin === "auto";
}
