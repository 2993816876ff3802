import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import type { Target } from "./index/resolution.ts";
import type { Act } from "./insertion.ts";
import { waveOf } from "./waves.ts";

/** "ready": loaded or built in. "unknown": the image has no module of that name. "failed": a warning says why. */
export type LoadResult = "ready" | "unknown" | "blacklisted" | "failed";

/** Returns the wave of a target, by its own file; a target without a file belongs to the first wave. */
export function waveOfTarget({ name, actions }: Target): number {
  const own = actions.find((action) => action.name === name);
  return own?.do === "load" ? waveOf(own.path) : 0;
}

/** Loads a module with its dependencies. A soft dependency may fail; the module itself and its dependencies may not. */
export function loadTarget({ name, blacklisted, actions, missing }: Target, act: Act, voice: Voice): LoadResult {
  if (blacklisted) {
    voice.debug(`module ${printable(name)} is blacklisted`);
    return "blacklisted";
  }
  for (const action of actions) {
    if (!act(action) && "required" in action && action.required) return "failed";
  }
  if (missing.length === 0) return "ready";
  const names = missing.map(printable).join(", ");
  voice.warn(`module ${printable(name)} needs modules that this image does not have: ${names}`);
  return "failed";
}
