import { takeQueuedEvents } from "../devices/device-events.ts";
import { charsetsFor } from "../formats/filesystems/filesystem-types.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { describeGap } from "../problems/diagnoses/drivers.ts";
import { headline, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { type BlockedDriver, findBlock } from "./blocked.ts";
import { normalizeName } from "./index/names.ts";
import { resolveModule, type Target } from "./index/resolution.ts";
import { createInsertion } from "./insertion.ts";
import { FIRST_BUSES, listBuses, listModaliases, needsDrivers } from "./modaliases.ts";
import { findModuleGap, type ImageModules, readImageModules } from "./module-source.ts";
import { type LoadResult, loadTarget, waveOfTarget } from "./targets.ts";
import { findUnpackFailure } from "./unpack-failure.ts";
import { expectedInWave, LAST_WAVE } from "./waves.ts";

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
  /** Loads the next wave of drivers; returns false if no wave is left. The search for the root ends only after that. */
  loadMore(): boolean;
  /** Loads the drivers of all devices and of keyboards that may still appear: before a person is asked for input. */
  loadAll(): void;
  /** True if the kernel still probed devices for a driver when the boot went on. */
  isHeldUp(): boolean;
  /** The drivers that were asked for and that a blacklist keeps out. */
  blocked(): readonly BlockedDriver[];
  counts(): { readonly modules: number; readonly devices: number };
}

/** Creates the loader and loads the modules that the plan names and the first wave for the hardware. Listens for uevents from here on. */
export function createLoader(machine: Machine, wishes: BootPlan["modules"], voice: Voice): Loader {
  machine.listenForDevices();
  const image = readImageModules(machine, wishes);
  if (image === null || image.isScanned) warnOfMissingModules(machine, image, voice);
  for (const problem of image?.config.problems ?? []) voice.warn(printable(problem));
  const loader = makeLoader(machine, image, voice, wishes.blacklist.map(normalizeName));
  for (const name of wishes.load) {
    if (loader.loadByName(name) === "unknown") {
      const shown = printable(name);
      const cure = image === null ? "it contains none for this kernel" : `add it with levain image --module ${shown}`;
      voice.warn(`this image has no module ${shown}: ${cure}`);
    }
  }
  loader.coldplug();
  drainEvents(machine, loader);
  return loader;
}

/** Loads the drivers that the boot did not need, for a shell that starts before the boot has its loader. */
export function loadAllDrivers(machine: Machine, wishes: BootPlan["modules"], voice: Voice): void {
  const image = readImageModules(machine, wishes);
  const loader = makeLoader(machine, image, voice);
  loader.coldplug();
  loader.loadAll();
}

/** Loads a filesystem's driver before the boot has its loader: to read a file that the plan depends on. */
export function loadFilesystemDriver(machine: Machine, type: string, voice: Voice): void {
  const image = readImageModules(machine, { load: [], parameters: {}, blacklist: [] });
  makeLoader(machine, image, voice).loadFilesystem(type);
}

function makeLoader(
  machine: Machine,
  image: ImageModules | null,
  voice: Voice,
  blacklist: readonly string[] = [],
): Loader {
  const { act, count, isHeldUp } = createInsertion(machine, image?.directory ?? "", voice, (name) =>
    probeOtherDevices(machine, image, name),
  );
  const seen = new Set<string>();
  const blocked = new Map<string, BlockedDriver>();
  const waiting: string[] = [];
  let wave = 0;

  function attempt(target: Target): LoadResult {
    const block = findBlock(machine, target, blacklist);
    if (block !== null) blocked.set(target.name, block);
    return loadTarget(target, act, voice);
  }

  function load(given: string, everySoftdep = false): LoadResult {
    const targets = image === null ? [] : resolveModule(image, given, everySoftdep);
    const results = targets.map(attempt);
    return (["failed", "ready", "blacklisted"] as const).find((result) => results.includes(result)) ?? "unknown";
  }

  function loadDevice(modalias: string): void {
    const targets = image === null ? [] : resolveModule(image, modalias);
    const isLater = (target: Target) => waveOfTarget(target) > wave;
    for (const target of targets) if (!isLater(target)) attempt(target);
    if (targets.some(isLater)) waiting.push(modalias);
  }

  function offerDevice(modalias: string): void {
    if (seen.has(modalias)) return;
    seen.add(modalias);
    loadDevice(modalias);
  }

  function coldplug(): void {
    const buses = wave === 0 ? FIRST_BUSES : listBuses(machine);
    for (const { modalias } of listModaliases(machine, buses)) offerDevice(modalias);
  }

  function loadMore(): boolean {
    if (wave === LAST_WAVE) return false;
    wave += 1;
    for (const modalias of waiting.splice(0)) loadDevice(modalias);
    if (wave === 1) coldplug(); // the buses that were not read yet
    for (const name of expectedInWave(machine, wave)) if (image?.config.blacklist.includes(name) === false) load(name);
    return true;
  }

  return {
    loadByName: (name) => load(name),
    loadByAlias: (alias) => load(alias),
    loadFilesystem(type, options = "") {
      // During the mount the kernel would call modprobe for a checksum or a character set, and the image may have none.
      if (load(`fs-${type}`, true) === "unknown") load(type, true);
      for (const charset of charsetsFor(type, options)) load(charset);
    },
    coldplug,
    handleEvent({ action, subsystem, properties }) {
      const modalias = properties["MODALIAS"];
      if (action === "add" && modalias !== undefined && needsDrivers(subsystem)) offerDevice(modalias);
    },
    loadMore,
    loadAll() {
      while (loadMore());
    },
    isHeldUp,
    blocked: () => [...blocked.values()],
    counts: () => ({ modules: count(), devices: seen.size }),
  };
}

/**
 * Has the kernel probe the devices of a driver that one of them holds up: it probes them one after the other while the module is
 * loaded. The root may be on the next.
 */
function probeOtherDevices(machine: Machine, image: ImageModules | null, module: string): void {
  if (image === null) return;
  for (const { directory, modalias } of listModaliases(machine, listBuses(machine))) {
    const isItsDevice = resolveModule(image, modalias).some(({ name }) => name === module);
    // The link is there before the device is probed (really_probe() of drivers/base/dd.c), so also for the one that holds it up.
    if (isItsDevice && machine.lstat(`${directory}/driver`) === null) machine.probeDriver(directory);
  }
}

/** Rounds of events: each driver may announce devices that need another driver. */
const MOST_TURNS = 16;

/** Handles the devices that buses announced when their drivers were loaded. Disks are looked up in /sys later. */
function drainEvents(machine: Machine, loader: Loader): void {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const events = takeQueuedEvents(machine);
    if (events.length === 0) return;
    for (const event of events) loader.handleEvent(event);
    if (events.some(({ action }) => action === "overflow")) loader.coldplug();
  }
}

/** An image without modules is for a kernel that has all drivers built in; one with another kernel's modules is a mistake. */
function warnOfMissingModules(machine: Machine, image: ImageModules | null, voice: Voice): void {
  const failure = findUnpackFailure(machine);
  if (failure !== null) {
    voice.warn(`${headline(failure)}: drivers are missing`);
    return;
  }
  if (image !== null) return;
  const gap = findModuleGap(machine);
  if (gap === null || gap.kernels.length === 0) return;
  voice.warn(
    `${describeGap(gap)}: no driver can be loaded; rebuild the image with levain image --kernel ${gap.release}`,
  );
}
