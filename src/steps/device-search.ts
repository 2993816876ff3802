import type { BootPlan, DeviceSpec } from "../config/plan.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { type BtrfsPools, createBtrfsPools } from "../openers/btrfs.ts";
import type { Guesses } from "../openers/crypt.ts";
import type { Opener, OpenerModules, Scene } from "../openers/opener.ts";
import { createOpeners, type OpenerWish } from "../openers/openers.ts";
import { printable } from "../report.ts";
import type { Voice } from "../voice.ts";
import type { BlockDevice } from "./block-devices.ts";
import { createContentSearch } from "./device-content.ts";
import { createNamer, type Inventory, scanDevices, updateDevice } from "./inventory.ts";
import { type Look, matchDevices } from "./match.ts";
import { listLinks } from "./persistent-names.ts";
import type { Undo } from "./places.ts";
import type { SearchResult } from "./search-words.ts";

/** What a search needs of the module loader: a driver for hardware that has just appeared, and for what openers make. */
export interface SearchModules extends OpenerModules {
  handleEvent(event: DeviceEvent): void;
  coldplug(): void;
  /** Loads drivers that were left for later; false where none is left. */
  loadMore(): boolean;
}

/** Which device is waited for, how long, with which options it will be mounted, and what is to be opened before: as the plan has it for the root. */
export type DeviceWish = Pick<BootPlan, "roots" | "rootTimeoutMs" | "rootOptions"> & OpenerWish;

/** What a search for a device needs. */
export interface AttachTools {
  readonly modules: SearchModules;
  readonly voice: Voice;
  readonly undo: Undo;
  /** What was guessed in vain before; none where it is left out. */
  readonly guesses?: Guesses;
}

/** The devices of a machine while one of them is looked for. */
export interface Search extends SearchResult {
  readonly modules: SearchModules;
  readonly voice: Voice;
  readonly pools: BtrfsPools;
  readonly openers: readonly Opener[];
  readonly lacks: Map<DeviceSpec, string>;
  /** What `spec` names, each taken for what was opened in it. */
  matches(spec: DeviceSpec): readonly BlockDevice[];
  /** The volumes that a device lies in, the innermost first. */
  containersOf(device: BlockDevice): Iterable<BlockDevice>;
  /** Handles the next uevent; false when none came in time. */
  takeEvent(timeoutMs: number): boolean;
  close(): void;
}

/** Begins a search; from here on no uevent is lost. */
export function createSearch(machine: Machine, plan: DeviceWish, tools: Required<AttachTools>): Search {
  const { modules, voice, undo, guesses } = tools;
  machine.listenForDevices();
  const inventory: Inventory = new Map();
  scanDevices(machine, inventory);
  const look: Look = {
    name: createNamer(machine),
    links: (device) => listLinks(machine, device),
    holds: createContentSearch(machine, modules, voice),
  };
  const pools = createBtrfsPools(machine, modules, plan.rootOptions.split(",").includes("degraded"));
  const devices = () => [...inventory.values()];
  const find = (spec: DeviceSpec) => matchDevices(spec, devices(), look);
  const takeEvent = (timeoutMs: number) => takeNextEvent(machine, { inventory, modules, voice }, timeoutMs);
  const scene: Scene = {
    ...{ machine, modules, voice, undo, devices, find },
    look(name) {
      updateDevice(machine, inventory, { action: "change", devpath: name, subsystem: "block", properties: {} });
      return inventory.get(name) ?? null;
    },
    takeEvents: () => {
      while (takeEvent(0));
    },
  };
  const openers = createOpeners(scene, plan, guesses);
  return {
    ...{ inventory, modules, voice, pools, openers, takeEvent, lacks: new Map() },
    matches: (spec) => pools.oneOfEach([...new Set(find(spec).map((device) => innermost(openers, device)))]),
    containersOf: (device) => listContainers(openers, inventory, device),
    describe: (device) => first(openers, (opener) => opener.describe(device)),
    get missing() {
      return openers.flatMap((opener) => opener.missing());
    },
    close() {
      for (const opener of openers) opener.close();
    },
  };
}

function innermost(openers: readonly Opener[], device: BlockDevice): BlockDevice {
  const inside = first(openers, (opener) => opener.inside(device));
  return inside === null ? device : innermost(openers, inside);
}

function* listContainers(openers: readonly Opener[], inventory: Inventory, device: BlockDevice): Iterable<BlockDevice> {
  const isOuter = (outer: BlockDevice) => openers.some((opener) => opener.inside(outer)?.name === device.name);
  const outer = [...inventory.values()].find(isOuter);
  if (outer !== undefined) yield outer;
  const next = outer ?? inventory.get(device.partition?.disk ?? "");
  if (next !== undefined) yield* listContainers(openers, inventory, next);
}

function first<T>(openers: readonly Opener[], ask: (opener: Opener) => T | null): T | null {
  for (const opener of openers) {
    const answer = ask(opener);
    if (answer !== null) return answer;
  }
  return null;
}

function takeNextEvent(
  machine: Machine,
  { inventory, modules, voice }: Pick<Search, "inventory" | "modules" | "voice">,
  timeoutMs: number,
): boolean {
  const event = machine.nextDeviceEvent(timeoutMs);
  if (event === null) return false;
  voice.debug(`uevent ${event.action} ${printable(event.devpath)}`);
  if (event.action === "overflow") {
    // The kernel dropped uevents: what is in /sys now is the truth.
    scanDevices(machine, inventory);
    modules.coldplug();
  } else if (event.subsystem === "block") {
    updateDevice(machine, inventory, event);
  } else {
    modules.handleEvent(event);
  }
  return true;
}
