import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { type BlockedDriver, findBlock } from "../blocked.ts";
import { resolveModule, type Target } from "../index/resolution.ts";
import type { ImageModules } from "../module-source.ts";
import { servesDisks, servesNetwork, servesTyping, servesWatchdog, waveOf } from "../waves.ts";
import type { Act } from "./insertion.ts";
import type { Steps } from "./steps.ts";

/** "ready": loaded or built in. "unknown": the image has no module of that name. "failed": a warning says why. "postponed": it is loaded when a module that it needs is. */
export type LoadResult = "ready" | "unknown" | "blacklisted" | "failed" | "postponed";

/** Returns the wave of a target, by its own file; a target without a file belongs to the first wave. */
export function waveOfTarget(target: Target): number {
  const path = pathOf(target);
  return path === null ? 0 : waveOf(path);
}

/** Returns true if a person may need the target to type. */
export function isForTyping(target: Target): boolean {
  const path = pathOf(target);
  return path !== null && servesTyping(path);
}

/** Returns true if the target serves only disks. */
export function isForDisks(target: Target): boolean {
  const path = pathOf(target);
  return path !== null && servesDisks(path);
}

/** Returns true if a network interface may need the target. */
export function isForNetwork(target: Target): boolean {
  const path = pathOf(target);
  return path !== null && servesNetwork(path);
}

/** Returns true for the driver of a watchdog, or of a chip that contains one. */
export function isForWatchdog(target: Target): boolean {
  const path = pathOf(target);
  return path !== null && servesWatchdog(path);
}

function pathOf({ name, actions }: Target): string | null {
  const own = actions.find((action) => action.name === name);
  return own?.do === "load" ? own.path : null;
}

/** Loads a module with its dependencies. A soft dependency may fail; the module itself and its dependencies may not. */
export function* loadTarget(
  { name, blacklisted, actions, missing }: Target,
  act: Act,
  voice: Voice,
): Steps<LoadResult> {
  if (blacklisted) {
    voice.debug(`module ${printable(name)} is blacklisted`);
    return "blacklisted";
  }
  for (const action of actions) {
    const outcome = yield* act(action);
    if (outcome === "done" || !("required" in action && action.required)) continue;
    if (outcome === "refused") return "failed";
    if (action.name === name) continue;
    // The kernel would refuse it: the symbols that it needs are not there before the other one is loaded.
    voice.debug(`module ${printable(name)} waits for ${printable(action.name)}`);
    return "postponed";
  }
  if (missing.length === 0) return "ready";
  const names = missing.map(printable).join(", ");
  voice.warn(`module ${printable(name)} needs modules that this image does not have: ${names}`);
  return "failed";
}

interface TargetContext {
  readonly machine: Machine;
  readonly image: ImageModules | null;
  readonly voice: Voice;
  /** The modules that parameters blacklist. */
  readonly blacklist: readonly string[];
}

/** What loads the modules of an image by name or alias. */
export interface Targets {
  attempt(target: Target): Steps<LoadResult>;
  /** `everySoftdep` as in `resolveModule`. */
  load(given: string, everySoftdep?: boolean): Steps<LoadResult>;
  /** True if the image has a module of that name or alias with all that it needs, and no blacklist keeps it out. */
  has(given: string): boolean;
  /** Takes the targets that are to be attempted again. */
  takePostponed(): readonly Target[];
  /** The drivers that were asked for and that a blacklist keeps out. */
  blocked(): readonly BlockedDriver[];
}

/** Creates it; `act` performs the actions. */
export function createTargets({ machine, image, voice, blacklist }: TargetContext, act: Act): Targets {
  const blocked = new Map<string, BlockedDriver>();
  const postponed: Target[] = [];

  function* attempt(target: Target): Steps<LoadResult> {
    const block = findBlock(machine, target, blacklist);
    if (block !== null) blocked.set(target.name, block);
    const result = yield* loadTarget(target, act, voice);
    if (result === "postponed") postponed.push(target);
    return result;
  }

  return {
    attempt,
    *load(given, everySoftdep = false) {
      const results: LoadResult[] = [];
      const targets = image === null ? [] : resolveModule(image, given, everySoftdep);
      for (const target of targets) results.push(yield* attempt(target));
      const order = ["failed", "postponed", "ready", "blacklisted"] as const;
      return order.find((result) => results.includes(result)) ?? "unknown";
    },
    has(given) {
      const targets = image === null ? [] : resolveModule(image, given);
      return targets.some((target) => target.missing.length === 0 && findBlock(machine, target, blacklist) === null);
    },
    takePostponed: () => postponed.splice(0),
    blocked: () => [...blocked.values()],
  };
}
