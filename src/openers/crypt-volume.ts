import type { BytesPlace, CryptVolume } from "../config/crypt-plan.ts";
import { BootError, isErrno } from "../errors.ts";
import { wipe } from "../luks/secret.ts";
import type { Mapping } from "../machine/encryption.ts";
import { report } from "../report.ts";
import type { BlockDevice } from "../steps/block-devices.ts";
import { specText } from "../steps/search-words.ts";
import { findDevice, isGone } from "./crypt-device.ts";
import type { Lock } from "./crypt-lock.ts";
import { prepareLuks } from "./crypt-luks.ts";
import { describePlace, isPlaceThere, readKey } from "./crypt-places.ts";
import { preparePlain } from "./crypt-plain.ts";
import { isMadeOf } from "./mapping.ts";
import type { Scene } from "./opener.ts";

/** A volume that is to be opened, and how far that is. */
export interface Volume {
  readonly wish: CryptVolume;
  /** Who wants it: a parameter of its own, rd.auto, or a root= that is a LUKS volume itself. */
  readonly origin: "asked" | "auto" | "root";
  device: BlockDevice | null;
  /** True once it was told that other devices match as well. */
  isAmbiguityTold: boolean;
  /** When the device was first seen. */
  sinceMs: number;
  lock: Lock | null;
  mapping: Mapping | null;
  /** True where a person's word was taken for right though nothing proves it. */
  isGuessed: boolean;
  readonly triedKeys: Set<BytesPlace>;
  /** How many of the passphrases that were typed have been tried. */
  triedPassphrases: number;
  /** How often a person was asked for it. */
  asked: number;
  /** True where the last answer did not open it; a mount that failed may have other reasons. */
  wasWrong: boolean;
  failure: BootError | null;
}

/** Where a volume stands: just opened; waits for a device with a key or header; a person has to be asked; or nothing can be done (not there, open already, failed). */
export type Standing = "opened" | "waits" | "asks" | "rests";

/** After wrong passphrases, or none. */
export const ASK_AGAIN = "`exit` asks again; `levain unlock` asks in this shell";

/** A volume of which nothing has been seen yet; `asked`: how often a person was asked for it in vain before. */
export function createVolume(wish: CryptVolume, origin: Volume["origin"], asked: number): Volume {
  const start = { device: null, sinceMs: Number.NaN, lock: null, mapping: null, isGuessed: false, failure: null };
  return {
    wish,
    origin,
    ...start,
    isAmbiguityTold: false,
    triedKeys: new Set(),
    triedPassphrases: 0,
    asked,
    wasWrong: false,
  };
}

/** Does with a volume what can be done without a person. */
export function advance(scene: Scene, volume: Volume, passphrases: readonly Uint8Array[]): Standing {
  if (volume.mapping !== null || volume.failure !== null || !findDevice(scene, volume)) return "rests";
  try {
    return advanceFound(scene, volume, passphrases);
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    const text = describeVolume(volume);
    scene.takeEvents();
    if (isGone(scene, volume)) scene.voice.warn(`${text} went away while it was unlocked`);
    else volume.failure = new BootError(`could not unlock ${text}`, { cause: error });
    return "rests";
  }
}

function advanceFound(scene: Scene, volume: Volume, passphrases: readonly Uint8Array[]): Standing {
  volume.lock ??= prepare(scene, volume);
  const { lock } = volume;
  if (lock === null) return msLeft(scene, volume) > 0 ? "waits" : "rests";
  if (adopt(scene, volume, lock)) return "opened";
  lock.check();
  if (tryKeys(scene, volume, lock) || tryPassphrases(volume, lock, passphrases)) return "opened";
  if (isOutOfTries(volume)) {
    throw new BootError(`${volume.asked === 1 ? "the passphrase is" : `${volume.asked} passphrases were`} wrong`, {
      hint: ASK_AGAIN,
    });
  }
  return pendingKeys(scene, volume).length > 0 && msLeft(scene, volume) > 0 ? "waits" : "asks";
}

function prepare(scene: Scene, { device, wish }: Volume): Lock | null {
  if (device === null) return null;
  const { plain } = wish;
  const isLuks = plain === null || (plain.unlessLuks && device.facts.type === "crypto_LUKS");
  return isLuks ? prepareLuks(scene, device, wish) : preparePlain(scene, device, wish, plain);
}

/** After `levain unlock`, or from a try before: what is open is open. Not what was made of another device with the same header. */
function adopt({ machine, modules, look }: Scene, volume: Volume, lock: Lock): boolean {
  modules.loadByName("dm-mod");
  const isOurs = (mapping: Mapping) => lock.isMapping(mapping) && isMadeOf(machine, mapping, volume.device?.name ?? "");
  volume.mapping = machine.listMappings().find(isOurs) ?? null;
  if (volume.mapping !== null) look(volume.mapping.device);
  return volume.mapping !== null;
}

function tryKeys(scene: Scene, volume: Volume, lock: Lock): boolean {
  for (const place of volume.wish.keys) {
    if (volume.triedKeys.has(place) || !isPlaceThere(scene, place)) continue;
    volume.triedKeys.add(place);
    volume.mapping = tryKey(scene, volume, lock, place);
    if (volume.mapping !== null) return true;
  }
  return false;
}

/** A key that cannot be had, or is wrong, is told; there may be another, or a person. */
function tryKey(scene: Scene, volume: Volume, lock: Lock, place: BytesPlace): Mapping | null {
  let key: Uint8Array | null = null;
  try {
    key = readKey(scene, place);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    scene.voice.warn(oneLine(error));
  }
  try {
    const mapping = key && lock.open(key, "key");
    if (key !== null && mapping === null) {
      scene.voice.warn(`the key ${describePlace(place)} does not open ${describeVolume(volume)}`);
    }
    return mapping;
  } finally {
    wipe(key);
  }
}

function tryPassphrases(volume: Volume, lock: Lock, passphrases: readonly Uint8Array[]): boolean {
  while (volume.mapping === null && volume.triedPassphrases < passphrases.length) {
    const passphrase = passphrases[volume.triedPassphrases++];
    if (passphrase !== undefined) volume.mapping = lock.open(passphrase, "passphrase");
  }
  volume.isGuessed = volume.mapping !== null && lock.isGuess;
  return volume.mapping !== null;
}

/** True where a person must not be asked again. */
export function isOutOfTries({ wish, asked }: Volume): boolean {
  return wish.tries > 0 && asked >= wish.tries;
}

/** True where a root that is there does not wait for it: nobody named it, or it was said to be optional. */
export function isDispensable({ wish, origin }: Volume): boolean {
  return wish.isOptional || origin === "auto";
}

/** The keys whose devices have not come. */
export function pendingKeys(scene: Pick<Scene, "find">, { wish, triedKeys }: Volume): readonly BytesPlace[] {
  return wish.keys.filter((place) => !triedKeys.has(place) && !isPlaceThere(scene, place));
}

/** True where something of it that was missing is there now. */
export function hasNews(scene: Pick<Scene, "find">, volume: Volume): boolean {
  const { wish, triedKeys, lock, device, mapping, failure } = volume;
  if (device === null || mapping !== null || failure !== null) return false;
  const header = lock === null && wish.header !== null && isPlaceThere(scene, wish.header);
  return header || (lock !== null && wish.keys.some((place) => !triedKeys.has(place) && isPlaceThere(scene, place)));
}

/** Milliseconds that are left to wait for a device with a key or header. */
export function msLeft({ machine }: Pick<Scene, "machine">, { wish, sinceMs }: Volume): number {
  return wish.keyTimeoutMs === null ? Number.POSITIVE_INFINITY : sinceMs + wish.keyTimeoutMs - machine.nowMs();
}

/** `/dev/vda2 (LUKS2, "label") as root`, or what was asked for where nothing of it is there. */
export function describeVolume({ device, lock, wish }: Volume): string {
  if (device === null) return specText(wish.device);
  return lock === null ? device.node : `${device.node} (${lock.text}) as ${lock.name}`;
}

/** An error as a part of a sentence: without what to try. */
export function oneLine(error: BootError): string {
  const lines = report(error).filter((line) => !/^(seen|hint):/.test(line));
  return lines.map((line) => line.trim()).join(": ");
}
