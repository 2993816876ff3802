import type { Mapping } from "../../../machine/encryption.ts";
import { inShell } from "../../../problems/diagnosis.ts";
import { BootError, isErrno } from "../../../problems/errors.ts";
import { sentence } from "../../../problems/report.ts";
import { isMadeOf, rememberTyped } from "../../mapping.ts";
import type { Scene } from "../../opener.ts";
import { CancelledError } from "./derivation.ts";
import { findDevice, isGone, tryNextDevice } from "./device.ts";
import { hasUntriedKey, pendingKeys, tryKeys } from "./key-files.ts";
import type { Lock } from "./lock.ts";
import { prepareLuks } from "./luks.ts";
import { isPlaceThere } from "./places.ts";
import { preparePlain } from "./plain.ts";
import { describeVolume, type Volume } from "./state.ts";

/** Where a volume stands: just opened; waits for a device with a key or header; a person has to be asked; or nothing can be done (not there, open already, failed). */
export type Standing = "opened" | "waits" | "asks" | "rests";

/** After wrong passphrases, or none. */
export const ASK_AGAIN = [inShell("`exit` asks again; `levain unlock` asks in this shell")];

/** Does with a volume what can be done without a person. */
export function advance(scene: Scene, volume: Volume, passphrases: readonly Uint8Array[]): Standing {
  if (volume.mapping !== null || volume.failure !== null || !findDevice(scene, volume)) return "rests";
  try {
    return advanceFound(scene, volume, passphrases);
  } catch (error) {
    if (!(error instanceof BootError) && !isErrno(error)) throw error;
    const text = describeVolume(volume);
    if (error instanceof CancelledError) {
      throw new BootError(`could not unlock ${text}`, { cause: error, hints: ASK_AGAIN });
    }
    scene.takeEvents();
    if (isGone(scene, volume)) {
      scene.voice.warn(`${text} went away while it was unlocked`);
      return "rests";
    }
    volume.isRefused = true;
    const failure = new BootError(`could not unlock ${text}`, { cause: error });
    if (tryNextDevice(scene, volume, passphrases.length)) {
      scene.voice.warn(sentence(failure));
      return advance(scene, volume, passphrases);
    }
    volume.failure = failure;
    return "rests";
  }
}

function advanceFound(scene: Scene, volume: Volume, passphrases: readonly Uint8Array[]): Standing {
  volume.lock ??= prepare(scene, volume);
  const { lock } = volume;
  if (lock === null) return msLeft(scene, volume) > 0 ? "waits" : "rests";
  if (adopt(scene, volume, lock)) return "opened";
  lock.check();
  if (tryKeys(scene, volume, lock) || tryPassphrases(scene, volume, lock, passphrases)) return "opened";
  if (tryNextDevice(scene, volume, passphrases.length)) return advanceFound(scene, volume, passphrases);
  if (isOutOfTries(volume)) {
    throw new BootError(`${volume.asked === 1 ? "the passphrase is" : `${volume.asked} passphrases were`} wrong`, {
      hints: ASK_AGAIN,
    });
  }
  return pendingKeys(scene, volume).length > 0 && msLeft(scene, volume) > 0 ? "waits" : "asks";
}

function prepare(scene: Scene, volume: Volume): Lock | null {
  const { device, wish } = volume;
  if (device === null) return null;
  const { plain } = wish;
  const isLuks = plain === null || (plain.unlessLuks && device.facts.type === "crypto_LUKS");
  if (!isLuks) return preparePlain(scene, device, wish, plain);
  return prepareLuks(scene, device, wish);
}

/** After `levain unlock`, or from a try before: what is open is open. Not what was made of another device with the same header. */
function adopt({ machine, modules, look }: Scene, volume: Volume, lock: Lock): boolean {
  modules.loadByName("dm-mod");
  const isOurs = (mapping: Mapping) => lock.isMapping(mapping) && isMadeOf(machine, mapping, volume.device?.name ?? "");
  volume.mapping = machine.listMappings().find(isOurs) ?? null;
  if (volume.mapping !== null) look(volume.mapping.device);
  return volume.mapping !== null;
}

function tryPassphrases({ machine }: Scene, volume: Volume, lock: Lock, passphrases: readonly Uint8Array[]): boolean {
  while (volume.mapping === null && volume.triedPassphrases < passphrases.length) {
    const passphrase = passphrases[volume.triedPassphrases++];
    if (passphrase !== undefined) volume.mapping = lock.open(passphrase, "passphrase");
  }
  if (volume.mapping !== null) rememberTyped(machine, volume.mapping.name);
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

/** True where something of it that was missing is there now. */
export function hasNews(scene: Pick<Scene, "find">, volume: Volume): boolean {
  const { wish, lock, device, mapping, failure } = volume;
  if (device === null || mapping !== null || failure !== null) return false;
  const header = lock === null && wish.header !== null && isPlaceThere(scene, wish.header);
  return header || (lock !== null && hasUntriedKey(scene, volume));
}

/** Milliseconds that are left to wait for a device with a key or header. */
export function msLeft({ machine }: Pick<Scene, "machine">, { wish, sinceMs }: Volume): number {
  return wish.keyTimeoutMs === null ? Number.POSITIVE_INFINITY : sinceMs + wish.keyTimeoutMs - machine.nowMs();
}
