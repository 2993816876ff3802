import { takeQueuedEvents } from "../devices/device-events.ts";
import { charsetsFor } from "../formats/filesystems/filesystem-types.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { resolveModule, type Target } from "./index/resolution.ts";
import { type Act, createInsertion } from "./insertion.ts";
import { FIRST_BUSES, isAsked, listBuses, listModaliases } from "./modaliases.ts";
import { type ImageModules, listKernels, readImageModules } from "./module-source.ts";
import { findUnpackFailure } from "./unpack-failure.ts";
import { expectedInWave, LAST_WAVE, waveOf } from "./waves.ts";

/** "ready": in the kernel, now or before or built in. "unknown": nothing in the image has that name. "failed": it was said why. */
export type LoadResult = "ready" | "unknown" | "blacklisted" | "failed";

/** Loads modules by name, alias and filesystem, each once, with all that they need. Never throws for a module that cannot be had: that is said, and the boot goes on. */
export interface Loader {
  loadByName(name: string): LoadResult;
  loadByAlias(alias: string): LoadResult;
  /** The driver of a filesystem and the character sets that it asks for; `options` are those of its mount. */
  loadFilesystem(type: string, options?: string): void;
  /** Looks at all devices again, where events were lost. */
  coldplug(): void;
  /** Loads the driver for a device that has just appeared, or keeps it for a later wave. */
  handleEvent(event: DeviceEvent): void;
  /** Loads the next wave of drivers; false where there was none left. Before the root is given up, and as long as it gives true. */
  loadMore(): boolean;
  /** Loads the drivers of all that is there, and of keyboards that are still to be found: before a person is asked anything. */
  loadAll(): void;
  counts(): { readonly modules: number; readonly devices: number };
}

/** Makes the loader, loads what the plan names and the first wave of what the hardware asks for. From here on no uevent is lost. */
export function createLoader(machine: Machine, wishes: BootPlan["modules"], voice: Voice): Loader {
  machine.listenForDevices();
  const image = readImageModules(machine, wishes);
  if (image === null || image.isScanned) sayWhatIsMissing(machine, image, voice);
  for (const problem of image?.config.problems ?? []) voice.warn(printable(problem));
  const loader = makeLoader(machine, image, voice);
  for (const name of wishes.load) {
    if (loader.loadByName(name) === "unknown") {
      const word = printable(name);
      voice.warn(`there is no module ${word} in this image, add it with: levain image --module ${word}`);
    }
  }
  loader.coldplug();
  drainEvents(machine, loader);
  return loader;
}

/** Loads what the boot did not need: for a shell that comes without the boot's own loader. */
export function loadAllDrivers(machine: Machine, wishes: BootPlan["modules"], voice: Voice): void {
  const image = readImageModules(machine, wishes);
  const loader = makeLoader(machine, image, voice);
  loader.coldplug();
  loader.loadAll();
}

/** Loads a filesystem's driver before the boot has its loader: to read what the plan depends on. */
export function loadFilesystemDriver(machine: Machine, type: string, voice: Voice): void {
  const image = readImageModules(machine, { load: [], parameters: {}, blacklist: [] });
  makeLoader(machine, image, voice).loadFilesystem(type);
}

function makeLoader(machine: Machine, image: ImageModules | null, voice: Voice): Loader {
  const { act, count } = createInsertion(machine, image?.directory ?? "", voice);
  const seen = new Set<string>();
  let waiting: string[] = [];
  let wave = 0;

  function load(given: string, everySoftdep = false): LoadResult {
    const targets = image === null ? [] : resolveModule(image, given, everySoftdep);
    const results = targets.map((target) => loadTarget(target, act, voice));
    return (["failed", "ready", "blacklisted"] as const).find((result) => results.includes(result)) ?? "unknown";
  }

  function loadDevice(modalias: string): void {
    const targets = image === null ? [] : resolveModule(image, modalias);
    const isLater = (target: Target) => waveOfTarget(target) > wave;
    for (const target of targets) if (!isLater(target)) loadTarget(target, act, voice);
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
    const modaliases = waiting;
    waiting = [];
    for (const modalias of modaliases) loadDevice(modalias);
    if (wave === 1) coldplug(); // the buses that were not read yet
    for (const name of expectedInWave(machine, wave)) if (image?.config.blacklist.includes(name) === false) load(name);
    return true;
  }

  return {
    loadByName: (name) => load(name),
    loadByAlias: (alias) => load(alias),
    loadFilesystem(type, options = "") {
      // During the mount the kernel would ask modprobe for a checksum or a character set; nobody may answer then.
      if (load(`fs-${type}`, true) === "unknown") load(type, true);
      for (const charset of charsetsFor(type, options)) load(charset);
    },
    coldplug,
    handleEvent({ action, subsystem, properties }) {
      const modalias = properties["MODALIAS"];
      if (action === "add" && modalias !== undefined && isAsked(subsystem)) offerDevice(modalias);
    },
    loadMore,
    loadAll() {
      while (loadMore());
    },
    counts: () => ({ modules: count(), devices: seen.size }),
  };
}

/** By the target's own file; what needs no file is never too early. */
function waveOfTarget({ name, actions }: Target): number {
  const own = actions.find((action) => action.name === name);
  return own?.do === "load" ? waveOf(own.path) : 0;
}

/** What is only a soft dependency may fail; the module itself and what it needs may not. */
function loadTarget({ name, blacklisted, actions, missing }: Target, act: Act, voice: Voice): LoadResult {
  if (blacklisted) {
    voice.debug(`module ${printable(name)} is blacklisted`);
    return "blacklisted";
  }
  for (const action of actions) {
    if (!act(action) && "required" in action && action.required) return "failed";
  }
  if (missing.length === 0) return "ready";
  voice.warn(`${printable(name)} needs what is not in this image: ${missing.map(printable).join(", ")}`);
  return "failed";
}

/** How often in a row: each driver may announce devices for which another one is loaded. */
const MOST_TURNS = 16;

/** Buses that have just got their driver have announced what hangs on them. The disks among it are looked for in /sys later. */
function drainEvents(machine: Machine, loader: Loader): void {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const events = takeQueuedEvents(machine);
    if (events.length === 0) return;
    for (const event of events) loader.handleEvent(event);
    if (events.some(({ action }) => action === "overflow")) loader.coldplug();
  }
}

/** An image without any modules is for a kernel that has all built in; one with another kernel's is a mistake; one that did not fit into memory has lost its end. */
function sayWhatIsMissing(machine: Machine, image: ImageModules | null, voice: Voice): void {
  const failure = findUnpackFailure(machine);
  if (failure !== null) {
    voice.warn(`${failure.message}: drivers are missing`);
    return;
  }
  if (image !== null) return;
  const kernels = listKernels(machine);
  if (kernels.length === 0) return;
  const { release } = machine.release();
  voice.warn(
    `this image has modules for ${kernels.map(printable).join(", ")}, but the kernel is ${release}: no driver can be loaded; make it again with: levain image --kernel ${release}`,
  );
}
