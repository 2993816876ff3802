import type { Machine } from "../../machine/machine.ts";
import { resolveModule, type Target } from "../index/resolution.ts";
import { FIRST_BUSES, listBuses, listModaliases } from "../modaliases.ts";
import type { ImageModules } from "../module-source.ts";
import { expectedInWave, LAST_WAVE } from "../waves.ts";
import type { Steps } from "./steps.ts";
import { isForDisks, isForTyping, type Targets, waveOfTarget } from "./targets.ts";

/** What loads the drivers of the devices, in waves. */
export interface Devices {
  /** Looks at all devices of the buses that this wave reads. */
  coldplug(): Steps<void>;
  /** Loads the drivers of devices by their modaliases, each once, or postpones them to a later wave. */
  offer(modaliases: readonly string[]): Steps<void>;
  loadWave(): Steps<void>;
  /** Loads all waves that are left, for a person who types: what a keyboard or a console needs comes first. */
  loadRest(): Steps<void>;
  /** Loads them too, but no controllers of disks; returns the names of those that it leaves out. */
  loadWithoutDisks(): Steps<readonly string[]>;
  /** Loads those of some kind, of every wave: `isWanted` says which. */
  loadOf(isWanted: (target: Target) => boolean): Steps<void>;
  isLastWave(): boolean;
  /** How many kinds of devices were seen. */
  count(): number;
}

/** Creates it; nothing is loaded yet, and the first wave is open. */
export function createDevices(
  { machine, image }: { readonly machine: Machine; readonly image: ImageModules | null },
  { attempt, load }: Targets,
): Devices {
  const seen = new Set<string>();
  const waiting: string[] = [];
  let wave = 0;

  function* loadDevice(modalias: string): Steps<void> {
    const targets = image === null ? [] : resolveModule(image, modalias);
    const isLater = (target: Target) => waveOfTarget(target) > wave;
    for (const target of targets) if (!isLater(target)) yield* attempt(target);
    if (targets.some(isLater)) waiting.push(modalias);
  }

  function* offer(modaliases: readonly string[]): Steps<void> {
    for (const modalias of modaliases) {
      if (seen.has(modalias)) continue;
      seen.add(modalias);
      yield* loadDevice(modalias);
    }
  }

  function* coldplug(): Steps<void> {
    const buses = wave === 0 ? FIRST_BUSES : listBuses(machine);
    yield* offer(listModaliases(machine, buses).map(({ modalias }) => modalias));
  }

  function* loadWave(): Steps<void> {
    wave += 1;
    for (const modalias of waiting.splice(0)) yield* loadDevice(modalias);
    if (wave === 1) yield* coldplug(); // the buses that were not read yet
    yield* loadExpected(wave);
  }

  /** Loads what may still appear on the buses when the drivers of a wave are loaded. */
  function* loadExpected(ofWave: number): Steps<void> {
    for (const name of expectedInWave(machine, ofWave)) {
      if (image?.config.blacklist.includes(name) === false) yield* load(name);
    }
  }

  /** Returns the targets of all devices that were postponed or not read yet. */
  function takeRest(): readonly Target[] {
    const unread = wave === 0 ? listModaliases(machine, listBuses(machine)).map(({ modalias }) => modalias) : [];
    const rest = new Set([...waiting.splice(0), ...unread.filter((modalias) => !seen.has(modalias))]);
    for (const modalias of rest) seen.add(modalias);
    return image === null ? [] : [...rest].flatMap((modalias) => resolveModule(image, modalias));
  }

  /** Returns these targets, and opens every wave. */
  function takeAll(): readonly Target[] {
    const rest = takeRest();
    wave = LAST_WAVE;
    return rest;
  }

  /** The other drivers of these devices stay postponed. */
  function* loadOf(isWanted: (target: Target) => boolean): Steps<void> {
    const all = [...waiting, ...listModaliases(machine, listBuses(machine)).map(({ modalias }) => modalias)];
    const targets = image === null ? [] : [...new Set(all)].flatMap((modalias) => resolveModule(image, modalias));
    for (const target of targets.filter(isWanted)) yield* attempt(target);
  }

  return {
    coldplug,
    offer,
    loadWave,
    loadOf,
    loadRest: () => loadRest(takeAll, { attempt, loadExpected }),
    loadWithoutDisks: () => loadWithoutDisks(takeAll, { attempt, loadExpected }),
    isLastWave: () => wave === LAST_WAVE,
    count: () => seen.size,
  };
}

interface RestTools {
  readonly attempt: Targets["attempt"];
  readonly loadExpected: (ofWave: number) => Steps<void>;
}

function* loadRest(takeAll: () => readonly Target[], { attempt, loadExpected }: RestTools): Steps<void> {
  const rest = Object.groupBy(takeAll(), (target) => (isForTyping(target) ? "typing" : "others"));
  for (const target of rest.typing ?? []) yield* attempt(target);
  yield* loadExpected(LAST_WAVE);
  for (const target of rest.others ?? []) yield* attempt(target);
  for (let done = 1; done <= LAST_WAVE; done += 1) yield* loadExpected(done);
}

function* loadWithoutDisks(
  takeAll: () => readonly Target[],
  { attempt, loadExpected }: RestTools,
): Steps<readonly string[]> {
  const rest = Object.groupBy(takeAll(), (target) => (isForDisks(target) ? "disks" : "others"));
  for (const target of rest.others ?? []) yield* attempt(target);
  yield* loadExpected(LAST_WAVE);
  return [...new Set((rest.disks ?? []).map(({ name }) => name))];
}

/**
 * Has the kernel probe the devices of a driver that one of them holds up: it probes them one after the other while the module is
 * loaded. The root may be on the next.
 */
export function probeOtherDevices(machine: Machine, image: ImageModules | null, module: string): void {
  if (image === null) return;
  for (const { directory, modalias } of listModaliases(machine, listBuses(machine))) {
    const isItsDevice = resolveModule(image, modalias).some(({ name }) => name === module);
    // The link is there before the device is probed (really_probe() of drivers/base/dd.c), so also for the one that holds it up.
    if (isItsDevice && machine.lstat(`${directory}/driver`) === null) machine.probeDriver(directory);
  }
}
