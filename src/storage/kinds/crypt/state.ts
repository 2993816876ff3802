import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { BytesPlace } from "../../../parameters/crypt/settings.ts";
import type { CryptVolume } from "../../../plan/crypt/crypt-plan.ts";
import type { BootError } from "../../../problems/errors.ts";
import { specText } from "../../search-words.ts";
import type { Lock } from "./lock.ts";

/** The devices on which a key was looked for, by its place; null stands for the image. */
export type TriedKeys = Map<BytesPlace, Set<BlockDevice | null>>;

/** What was tried on one device. */
export interface Progress {
  readonly lock: Lock | null;
  readonly triedKeys: TriedKeys;
  /** How many of the passphrases that were typed have been tried. */
  readonly triedPassphrases: number;
  /** True where nothing can open it. */
  readonly isRefused: boolean;
}

/** A volume that is to be opened, and how far that is; what is said of tries is of its present device. */
export interface Volume {
  readonly wish: CryptVolume;
  /** Who wants it: a parameter of its own, rd.auto, or a root= that is a LUKS volume itself. */
  readonly origin: "asked" | "auto" | "root";
  device: BlockDevice | null;
  /** What was tried on other devices that match as well. */
  readonly progress: WeakMap<BlockDevice, Progress>;
  /** True once it was told that other devices match as well. */
  isAmbiguityTold: boolean;
  /** When the device was first seen. */
  sinceMs: number;
  lock: Lock | null;
  mapping: Mapping | null;
  /** True where a person's word was taken for right though nothing proves it. */
  isGuessed: boolean;
  readonly triedKeys: TriedKeys;
  triedPassphrases: number;
  isRefused: boolean;
  /** How often a person was asked for it. */
  asked: number;
  /** True where the last answer did not open it; a mount that failed may have other reasons. */
  wasWrong: boolean;
  failure: BootError | null;
}

/** A volume of which nothing has been seen yet; `asked`: how often a person was asked for it in vain before. */
export function createVolume(wish: CryptVolume, origin: Volume["origin"], asked: number): Volume {
  const start = { device: null, sinceMs: Number.NaN, mapping: null, isGuessed: false, failure: null };
  return {
    wish,
    origin,
    ...start,
    ...{ isAmbiguityTold: false, progress: new WeakMap(), lock: null, triedKeys: new Map() },
    ...{ triedPassphrases: 0, isRefused: false },
    asked,
    wasWrong: false,
  };
}

/** `/dev/vda2 (LUKS2, "label") as root`, or what was asked for where nothing of it is there. */
export function describeVolume({ device, lock, wish }: Volume): string {
  if (device === null) return specText(wish.device);
  return lock === null ? device.node : `${device.node} (${lock.text}) as ${lock.name}`;
}
