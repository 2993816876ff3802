import { charsetsFor } from "../formats/filesystems/filesystem-types.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import type { Voice } from "../problems/voice.ts";
import type { BlockedDriver } from "./blocked.ts";
import { type Background, createBackground } from "./loading/background.ts";
import { createDevices, type Devices, probeOtherDevices } from "./loading/device-drivers.ts";
import { createHeldVoice } from "./loading/held-voice.ts";
import { createInsertion } from "./loading/insertion.ts";
import { finish, type Steps } from "./loading/steps.ts";
import { createTargets, isForNetwork, isForWatchdog, type LoadResult, type Targets } from "./loading/targets.ts";
import { needsDrivers } from "./modaliases.ts";
import type { ImageModules } from "./module-source.ts";

/** Loads modules by name, alias and filesystem, each once, with their dependencies. A module that cannot be loaded is a warning, never an error. */
export interface Loader {
  loadByName(name: string): LoadResult;
  loadByAlias(alias: string): LoadResult;
  /** Loads the driver of a filesystem and the character sets that it requests; `options` are those of the mount. */
  loadFilesystem(type: string, options?: string): void;
  /** Looks at all devices again, after events were lost. */
  coldplug(): void;
  /** Loads the driver for a device that has just appeared, or postpones it to a later wave. */
  handleEvent(event: DeviceEvent): void;
  /** Loads the next wave of drivers, or what `loadInBackground` has begun; returns false if nothing is left. The search for the root ends only after that. */
  loadMore(): boolean;
  /** Loads the drivers of network interfaces, of whatever wave they are, and looks at all devices: to be called again after new ones appeared. */
  loadNetwork(): void;
  /** Loads the drivers of watchdogs. */
  loadWatchdog(): void;
  /** Loads the drivers of all devices and of keyboards that may still appear. */
  loadAll(): void;
  /** Loads them too, but no controllers of disks that are not loaded yet, and does not wait until they have probed their devices; returns the names of those that it leaves out. */
  loadWithoutDisks(): readonly string[];
  /** Goes on with the same, but waits for nothing and says nothing: while a person types. */
  loadInBackground(): BackgroundLoad;
  /** Loads a module with the others of `loadInBackground`, before them; false if the image has none of that name or alias that may be loaded. */
  loadSoon(given: string): boolean;
  /** Takes the answers of the kernel that have come, loads what waited for them, and says what `loadInBackground` did not. */
  advance(): void;
  /** True while the kernel probes devices for a driver that was not waited for any longer. */
  isHeldUp(): boolean;
  /** Sets what says whether a disk is slow: a module must not wait for it. */
  watchDisks(isAnySlow: () => boolean): void;
  /** The drivers that were asked for and that a blacklist keeps out. */
  blocked(): readonly BlockedDriver[];
  counts(): { readonly modules: number; readonly devices: number };
}

/** How far the drivers are that are loaded while a person types. */
export interface BackgroundLoad {
  /** Milliseconds after which it wants to go on even if the kernel has not answered; infinite if it need not. */
  readonly leftMs: number;
  /** A module was loaded or refused: there may be another terminal. */
  readonly hasMoved: boolean;
  /** `advance` has something to say, and not only with rd.debug. */
  readonly hasNews: boolean;
}

/** Creates a loader that has loaded nothing yet; `image`: null if the image has no modules for this kernel. */
export function makeLoader(
  machine: Machine,
  image: ImageModules | null,
  outer: Voice,
  blacklist: readonly string[] = [],
): Loader {
  const { voice, hold, hasNews, say } = createHeldVoice(outer);
  const mood = { isHasty: false, isDiskSlow: () => false };
  const onBusy = (name: string) => probeOtherDevices(machine, image, name);
  const insertion = createInsertion(machine, image?.directory ?? "", { voice, onBusy, mood });
  const background = createBackground(machine);
  const targets = createTargets({ machine, image, voice, blacklist }, insertion.act);
  const { load } = targets;
  const devices = createDevices({ machine, image }, targets);
  const rest = createRest(background, devices, mood);
  const soon = new Set<string>();

  /** Loads it at once, or after what is being loaded in the background. */
  function doNext(steps: () => Steps<unknown>): void {
    if (background.isUnderWay()) background.add(steps);
    else finish(steps());
  }

  /** Takes the kernel's answers; true if there was one. */
  function settle(): boolean {
    if (!insertion.settle()) return false;
    for (const target of targets.takePostponed()) doNext(() => targets.attempt(target));
    return true;
  }

  function loadInBackground(): BackgroundLoad {
    const hasMoved = settle();
    rest.plan();
    const leftMs = background.advance();
    return { leftMs, hasMoved, hasNews: hasNews() };
  }

  return {
    loadByName: (name) => finish(load(name)),
    loadByAlias: (alias) => finish(load(alias)),
    loadFilesystem: (type, options = "") => finish(loadFilesystem(targets, type, options)),
    coldplug: () => doNext(devices.coldplug),
    handleEvent({ action, subsystem, properties }) {
      const modalias = properties["MODALIAS"];
      const isDevice = action === "add" && modalias !== undefined && needsDrivers(subsystem);
      if (isDevice) doNext(() => devices.offer([modalias]));
    },
    loadNetwork: () => doNext(() => devices.loadOf(isForNetwork)),
    loadWatchdog: () => finish(loadWatchdog(devices)),
    loadMore: rest.loadMore,
    loadAll: rest.loadAll,
    loadWithoutDisks: rest.loadWithoutDisks,
    loadInBackground: () => hold(loadInBackground),
    loadSoon(given) {
      if (!soon.has(given)) background.add(() => load(given));
      soon.add(given);
      return targets.has(given);
    },
    advance() {
      say();
      settle();
    },
    isHeldUp: insertion.isHeldUp,
    watchDisks(isAnySlow) {
      mood.isDiskSlow = isAnySlow;
    },
    blocked: targets.blocked,
    counts: () => ({ modules: insertion.count(), devices: devices.count() }),
  };
}

/** Twice: a chip announces the watchdog that it contains. */
function* loadWatchdog({ loadOf }: Devices): Steps<void> {
  yield* loadOf(isForWatchdog);
  yield* loadOf(isForWatchdog);
}

/** What loads the waves of drivers that are left, in the background or now. */
function createRest(background: Background, devices: Devices, mood: { isHasty: boolean }) {
  let isPlanned = false;

  function loadMore(): boolean {
    if (background.finish()) return true;
    if (devices.isLastWave()) return false;
    finish(devices.loadWave());
    return true;
  }

  return {
    loadMore,
    loadAll(): void {
      while (loadMore());
    },
    loadWithoutDisks(): readonly string[] {
      mood.isHasty = true;
      background.finish();
      const left = finish(devices.loadWithoutDisks());
      mood.isHasty = false;
      return left;
    },
    plan(): void {
      if (!isPlanned) background.add(devices.loadRest);
      isPlanned = true;
    },
  };
}

/** During the mount the kernel would call modprobe for a checksum or a character set, and the image may have none. */
function* loadFilesystem({ load }: Targets, type: string, options: string): Steps<void> {
  if ((yield* load(`fs-${type}`, true)) === "unknown") yield* load(type, true);
  for (const charset of charsetsFor(type, options)) yield* load(charset);
}
