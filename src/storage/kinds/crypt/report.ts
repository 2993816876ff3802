import { problem } from "../../../problems/problem.ts";
import { printable, sentence } from "../../../problems/report.ts";
import type { DeviceState, RequiredVolume, StorageContext, Trouble, Wait } from "../../contract.ts";
import { specText } from "../../search-words.ts";
import { isOutOfTries, msLeft, pendingKeys, untriedKeys } from "./next-action.ts";
import { describePlace, listKeySources, listSources } from "./places.ts";
import type { Volume } from "./state.ts";
import { listDevices } from "./volume.ts";

/** Returns the state of a device; `volume` is null if nothing asks to open it. */
export function describeState(context: StorageContext, volume: Volume | null, isLuks: boolean): DeviceState {
  if (volume?.outcome.kind === "open") {
    const { mapping, isProven, isAdopted } = volume.outcome;
    const closes = !isAdopted;
    const text = `unlocked as /dev/mapper/${printable(mapping.name)}`;
    if (isProven || isOutOfTries(volume)) return { kind: "open", text, closes };
    return { kind: "unproven", text, closes, doubt: "the passphrase may be wrong" };
  }
  const text = `encrypted: ${volume === null ? "nothing asks to unlock it" : whyLocked(context, volume)}`;
  return isLuks ? { kind: "closed", isWanted: volume !== null, text } : { kind: "unopened", text };
}

function whyLocked(context: StorageContext, volume: Volume): string {
  if (volume.outcome.kind === "failed") return sentence(volume.outcome.error.cause ?? volume.outcome.error);
  const [missing] = pendingPlaces(context, volume);
  return missing === undefined ? "not unlocked" : `waits for ${missing}`;
}

/** Returns why a volume is not open; nothing for one that is, or that was not needed. */
export function troublesOf(
  context: StorageContext,
  { attempt, wish, outcome, origin, asked }: Volume,
): readonly Trouble[] {
  if (outcome.kind === "failed") {
    // The plan says to open it, or the user has tried to.
    return [{ error: outcome.error, isFatal: (origin !== "auto" && !wish.isOptional) || asked > 0 }];
  }
  if (outcome.kind === "open") return [];
  if (attempt === null) {
    if (listDevices(context, { wish }).length > 0) return [];
    return [{ error: problem("encrypted-device-missing", { spec: specText(wish.device) }), isFatal: false }];
  }
  if (attempt.lock !== null || wish.header === null) return [];
  return [{ error: problem("header-missing", { place: describePlace(wish.header) }), isFatal: false }];
}

/** Returns what volumes wait for, and for how long at most; null if there are none. */
export function describeWait(context: StorageContext, volumes: readonly Volume[]): Wait | null {
  if (volumes.length === 0) return null;
  const places = new Set(volumes.flatMap((volume) => pendingPlaces(context, volume)));
  const devices = volumes.map(({ attempt }) => attempt?.device.node ?? "").join(" and ");
  return {
    text: `${[...places].join(" and ")} for ${devices}`,
    leftMs: Math.min(...volumes.map((volume) => msLeft(volume, context.machine.nowMs()))),
  };
}

/** The headers and keys whose device is missing. */
function pendingPlaces(context: StorageContext, volume: Volume): readonly string[] {
  const { attempt, wish } = volume;
  if ((attempt?.lock ?? null) === null && wish.header !== null) return [`the header ${describePlace(wish.header)}`];
  const sources = listKeySources(context, wish.keys);
  return pendingKeys(volume, sources).map((place) => `the key ${describePlace(place)}`);
}

/** True if a header or key that was missing is present now. */
export function hasNews(context: StorageContext, volume: Volume): boolean {
  const { wish, attempt, outcome } = volume;
  if (attempt === null || outcome.kind !== "locked") return false;
  if (attempt.lock === null) return wish.header !== null && listSources(context, wish.header).length > 0;
  return untriedKeys(volume, listKeySources(context, wish.keys)).length > 0;
}

/** Returns the volume if the root has to lie in it, or in another such volume. Its device may be present before it was looked at. */
export function requiredOf(context: StorageContext, volume: Volume): readonly RequiredVolume[] {
  const { attempt, outcome, origin, wish } = volume;
  if (origin !== "asked" || wish.isOptional) return [];
  const outside = attempt?.device ?? listDevices(context, volume)[0];
  return [
    {
      outside: outside?.name ?? null,
      inside: outcome.kind === "open" ? outcome.mapping.device : null,
      isVerified: false,
    },
  ];
}
