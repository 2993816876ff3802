import type { BootPlan } from "../config/plan.ts";
import { BootError, isErrno, SyscallError } from "../errors.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { judgeInstall } from "../modules/modprobe-config.ts";
import { findModule } from "../modules/module-index.ts";
import { type ModuleAction, resolveModule, type Target } from "../modules/resolution.ts";
import { describeRefusal, printable, report } from "../report.ts";
import type { Voice } from "../voice.ts";
import { readText } from "./block-devices.ts";
import { charsetsFor } from "./filesystem-charsets.ts";
import { isAsked, listModaliases } from "./modaliases.ts";
import { createInserter } from "./module-files.ts";
import { type ImageModules, listKernels, readImageModules } from "./module-source.ts";

/** "ready": in the kernel, now or before or built in. "unknown": nothing in the image has that name. "failed": it was said why. */
export type LoadResult = "ready" | "unknown" | "blacklisted" | "failed";

/** Loads modules by name, alias and filesystem, each once, with all that they need. Never throws for a module that cannot be had: that is said, and the boot goes on. */
export interface Loader {
  loadByName(name: string): LoadResult;
  loadByAlias(alias: string): LoadResult;
  /** The driver of a filesystem and the character sets that it asks for; `options` are those of its mount. */
  loadFilesystem(type: string, options?: string): void;
  /** Loads drivers for all devices that are there. */
  coldplug(): void;
  /** Loads the driver for a device that has just appeared. */
  handleEvent(event: DeviceEvent): void;
  counts(): { readonly modules: number; readonly devices: number };
}

/** Makes the loader, loads what the plan names and what the hardware asks for. From here on no uevent is lost. */
export function createLoader(machine: Machine, wishes: BootPlan["modules"], voice: Voice): Loader {
  machine.listenForDevices();
  const image = readImageModules(machine, wishes);
  if (image === null) sayNoModules(machine, voice);
  for (const problem of image?.config.problems ?? []) voice.warn(problem);
  const loader = makeLoader(machine, image, voice);
  for (const name of wishes.load) {
    if (loader.loadByName(name) === "unknown") {
      voice.warn(`no module ${printable(name)} in this image: add it with levain image --module ${printable(name)}`);
    }
  }
  loader.coldplug();
  drainEvents(machine, loader);
  return loader;
}

/** Buses that have just got their driver have announced what hangs on them. Disks among it are seen in /sys later. */
function drainEvents(machine: Machine, loader: Loader): void {
  for (let event = machine.nextDeviceEvent(0); event !== null; event = machine.nextDeviceEvent(0)) {
    if (event.action === "overflow") loader.coldplug();
    else loader.handleEvent(event);
  }
}

function makeLoader(machine: Machine, image: ImageModules | null, voice: Voice): Loader {
  const present = listLoaded(machine);
  const seen = new Set<string>();
  let loaded = 0;
  let devices = 0;
  const insert = createInsertOnce(machine, image, voice, present, () => {
    loaded += 1;
  });

  function load(given: string, everySoftdep: boolean): LoadResult {
    const targets = image === null ? [] : resolveModule(image, given, everySoftdep);
    const results = targets.map((target) => loadTarget(target, insert, voice));
    const first = (["failed", "ready", "blacklisted"] as const).find((result) => results.includes(result));
    return first ?? "unknown";
  }

  function loadDevice(modalias: string): void {
    devices += 1;
    if (seen.has(modalias)) return;
    seen.add(modalias);
    load(modalias, false);
  }

  return {
    loadByName: (name) => load(name, false),
    loadByAlias: (alias) => load(alias, false),
    loadFilesystem(type, options = "") {
      // The kernel would ask modprobe for a checksum or a character set during the mount; nobody may answer then.
      if (load(`fs-${type}`, true) === "unknown") load(type, true);
      for (const charset of charsetsFor(type, options)) load(charset, false);
    },
    coldplug() {
      devices = 0;
      for (const { modalias } of listModaliases(machine)) loadDevice(modalias);
    },
    handleEvent({ action, subsystem, properties }) {
      const modalias = properties["MODALIAS"];
      if (action === "add" && modalias !== undefined && isAsked(subsystem)) loadDevice(modalias);
    },
    counts: () => ({ modules: loaded, devices }),
  };
}

/** True where the module is in the kernel afterwards. */
type InsertOnce = (action: ModuleAction) => boolean;

function loadTarget(target: Target, insert: InsertOnce, voice: Voice): LoadResult {
  if (target.blacklisted) {
    voice.debug(`module ${printable(target.name)} is blacklisted`);
    return "blacklisted";
  }
  for (const action of target.actions) {
    if (insert(action)) continue;
    if (action.do === "builtin" || action.required || action.name === target.name) return "failed";
  }
  if (!target.missing.includes(target.name) && target.missing.length === 0) return "ready";
  voice.warn(`${printable(target.name)} needs modules that are not in this image: ${target.missing.map(printable).join(", ")}`);
  return "failed";
}

function createInsertOnce(machine: Machine, image: ImageModules | null, voice: Voice, present: Set<string>, onLoaded: () => void): InsertOnce {
  const insert = createInserter(machine);
  const refused = new Set<string>();

  function tryInsert(name: string, path: string, parameters: string): boolean {
    const mark = machine.kernelLogMark();
    try {
      insert(`${image?.directory}/${path}`, parameters);
      onLoaded();
    } catch (error) {
      if (isErrno(error, "EEXIST")) return true;
      sayRefusal(voice, name, error, machine.kernelLogSince(mark));
      return false;
    }
    voice.debug(`module ${name}${parameters === "" ? "" : ` ${printable(parameters)}`}`);
    return true;
  }

  return (action) => {
    const { name } = action;
    if (action.do === "builtin" || present.has(name)) return true;
    if (refused.has(name)) return false;
    const verdict = action.do === "install" ? judgeInstall(action.command) : null;
    if (verdict !== null) return verdict === "done";
    const path = action.do === "load" ? action.path : image === null ? undefined : findModule(image.index, name)?.path;
    const done = path === undefined || tryInsert(name, path, action.do === "load" ? action.parameters : "");
    (done ? present : refused).add(name);
    return done;
  };
}

/** A driver that finds no hardware of its own is nothing to worry about; everything else is, with what the kernel said to it. */
function sayRefusal(voice: Voice, name: string, error: unknown, kernel: readonly string[]): void {
  if (isErrno(error, "ENODEV", "ENXIO", "EBUSY")) return voice.debug(`module ${name}: no hardware for it (${error.code})`);
  const words = error instanceof SyscallError ? describeRefusal(error) : error instanceof BootError ? report(error).join(" · ") : null;
  if (words === null) throw error;
  const said = kernel.slice(-3).map((line) => `\n  kernel: ${printable(line)}`);
  voice.warn(`could not load the module ${name}: ${words}${said.join("")}`);
}

function listLoaded(machine: Machine): Set<string> {
  try {
    return new Set(readText(machine, "/proc/modules").split("\n").map((line) => line.slice(0, line.indexOf(" "))));
  } catch (error) {
    // A kernel without modules has no such file.
    if (isErrno(error, "ENOENT")) return new Set();
    throw error;
  }
}

/** An image without any modules is for a kernel that has all built in; one with another kernel's is a mistake. */
function sayNoModules(machine: Machine, voice: Voice): void {
  const kernels = listKernels(machine);
  if (kernels.length === 0) return;
  const { release } = machine.release();
  voice.warn(`this image has modules for ${kernels.map(printable).join(", ")}, but the kernel is ${release}: no driver can be loaded. Make it again: levain image --kernel ${release}`);
}
