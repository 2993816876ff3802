import { wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { BytesPlace } from "../../../parameters/crypt/settings.ts";
import { BootError } from "../../../problems/errors.ts";
import { sentence } from "../../../problems/report.ts";
import type { Scene } from "../../opener.ts";
import type { Lock } from "./lock.ts";
import { describePlace, listSources, readKey } from "./places.ts";
import { describeVolume, type Volume } from "./state.ts";

/** Of one key: a device that keeps changing must not keep the prompt away. */
const MOST_SOURCES = 16;

/** Tries every key that can be read now, from each device that its place matches: anybody can label a stick, so the right one is the one whose key opens the volume. */
export function tryKeys(scene: Scene, volume: Volume, lock: Lock): boolean {
  for (const [place, source] of listUntried(scene, volume)) {
    const tried = volume.triedKeys.get(place) ?? new Set();
    volume.triedKeys.set(place, tried.add(source));
    volume.mapping = tryKey(scene, volume, lock, { place, source });
    if (volume.mapping !== null) return true;
  }
  return false;
}

/** True where a key can be read that was not tried. */
export function hasUntriedKey(scene: Pick<Scene, "find">, volume: Volume): boolean {
  return listUntried(scene, volume).length > 0;
}

/** The keys whose devices have not come. */
export function pendingKeys(scene: Pick<Scene, "find">, { wish, triedKeys }: Volume): readonly BytesPlace[] {
  return wish.keys.filter((place) => !triedKeys.has(place) && listSources(scene, place).length === 0);
}

function listUntried(scene: Pick<Scene, "find">, { wish, triedKeys }: Volume) {
  return wish.keys.flatMap((place) =>
    listSources(scene, place)
      .filter(
        (source) => triedKeys.get(place)?.has(source) !== true && (triedKeys.get(place)?.size ?? 0) < MOST_SOURCES,
      )
      .map((source) => [place, source] as const),
  );
}

/** Warns of a key that cannot be read, or is wrong: there may be another, or a person. */
function tryKey(
  scene: Scene,
  volume: Volume,
  lock: Lock,
  { place, source }: { readonly place: BytesPlace; readonly source: BlockDevice | null },
): Mapping | null {
  let key: Uint8Array | null = null;
  try {
    key = readKey(scene, place, source);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    scene.voice.warn(sentence(error));
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
