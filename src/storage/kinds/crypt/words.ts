import { printable, sentence } from "../../../problems/report.ts";
import type { Scene, Wait } from "../../opener.ts";
import { specText, UNASKED } from "../../search-words.ts";
import { pendingKeys } from "./key-files.ts";
import { describePlace } from "./places.ts";
import type { Volume } from "./state.ts";
import { msLeft } from "./volume.ts";

/** Why a device is still encrypted, for the report of a boot that failed; null where it is not. */
export function describeLocked(scene: Pick<Scene, "find">, volume: Volume | null): string | null {
  if (volume === null) return UNASKED;
  if (volume.failure !== null) return `encrypted: ${whyNot(volume.failure)}`;
  if (volume.mapping !== null) return `unlocked as /dev/mapper/${printable(volume.mapping.name)}`;
  const [missing] = pendingPlaces(scene, volume);
  return missing === undefined ? "encrypted: not unlocked" : `encrypted: waits for ${missing}`;
}

/** What was asked for and did not come; null for a volume that is open. */
export function describeMissing({ device, wish, mapping, failure, lock }: Volume): string | null {
  if (mapping !== null) return null;
  if (device === null) return `${specText(wish.device)}, which is to be unlocked, has not appeared`;
  if (failure !== null) return sentence(failure);
  if (lock === null && wish.header !== null) return `${describePlace(wish.header)}, a LUKS header, has not appeared`;
  return null;
}

/** What volumes wait for, and for how long at most; null where they are none. */
export function describeWait(scene: Pick<Scene, "find" | "machine">, volumes: readonly Volume[]): Wait | null {
  if (volumes.length === 0) return null;
  const places = new Set(volumes.flatMap((volume) => pendingPlaces(scene, volume)));
  const devices = volumes.map(({ device }) => device?.node ?? "").join(" and ");
  return {
    text: `${[...places].join(" and ")} for ${devices}`,
    leftMs: Math.min(...volumes.map((volume) => msLeft(scene, volume))),
  };
}

/** Headers and keys whose device is not there. */
function pendingPlaces(scene: Pick<Scene, "find">, volume: Volume): readonly string[] {
  const { lock, wish } = volume;
  if (lock === null && wish.header !== null) return [`the header ${describePlace(wish.header)}`];
  return pendingKeys(scene, volume).map((place) => `the key ${describePlace(place)}`);
}

/** Without the volume's name, which stands before it. */
function whyNot(failure: NonNullable<Volume["failure"]>): string {
  const all = sentence(failure);
  const start = all.indexOf(": ");
  return start < 0 ? all : all.slice(start + 2);
}
