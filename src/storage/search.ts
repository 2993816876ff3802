import { type BlockDevice, isWorthProbing } from "../devices/block-devices.ts";
import { groupByDevice, takeQueuedEvents } from "../devices/device-events.ts";
import { listLinks } from "../devices/persistent-names.ts";
import type { Undo } from "../drivers/context.ts";
import { createDeriver } from "../keys/deriver.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan } from "../plan/plan.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import type { HeldTerminals } from "../prompt/held-terminals.ts";
import { createContentSearch } from "./device-content.ts";
import { createNamer, followDevice, type Inventory, lookAt, scanDevices } from "./inventory.ts";
import { type BtrfsPools, createBtrfsPools } from "./kinds/btrfs.ts";
import type { Guesses } from "./kinds/crypt/crypt.ts";
import { createOpeners, type OpenerWish } from "./kinds/kinds.ts";
import { type Look, matchDevices } from "./match.ts";
import type { Opener, OpenerModules, Scene } from "./opener.ts";
import type { SearchResult } from "./search-words.ts";
import { chooseTrusted, liesInVolume } from "./trust.ts";

/** What a search needs of the module loader: a driver for hardware that has just appeared, and for what openers make. */
export interface SearchModules extends OpenerModules {
  handleEvent(event: DeviceEvent): void;
  coldplug(): void;
  /** Loads drivers that were left for later; false where none is left. */
  loadMore(): boolean;
}

/** Which device is waited for, how long, with which options it will be mounted, and what is to be opened before: as the plan has it for the root. */
export type DeviceWish = Pick<BootPlan, "rootTimeoutMs" | "rootOptions" | "image"> & OpenerWish;

/** What a search for a device needs. */
export interface AttachTools {
  readonly modules: SearchModules;
  readonly voice: Voice;
  readonly undo: Undo;
  /** What was guessed in vain before; none where it is left out. */
  readonly guesses?: Guesses;
  /** The consoles where it is left out; released with the search. */
  readonly terminals?: HeldTerminals;
}

/** The devices of a machine while one of them is looked for. */
export interface Search extends SearchResult {
  readonly modules: SearchModules;
  readonly voice: Voice;
  readonly pools: BtrfsPools;
  readonly openers: readonly Opener[];
  readonly terminals: HeldTerminals;
  readonly lacks: Map<DeviceSpec, string>;
  /** What `spec` names and may be a part of the root, each taken for what was opened in it. */
  matches(spec: DeviceSpec): readonly BlockDevice[];
  /** What `spec` names though it may not: it lies outside of the volumes that the root has to lie in. */
  strangers(spec: DeviceSpec): readonly BlockDevice[];
  /** All devices that may belong to the same filesystem as `device`. */
  companions(device: BlockDevice): readonly BlockDevice[];
  /** The volumes that a device lies in, the innermost first. */
  containersOf(device: BlockDevice): Iterable<BlockDevice>;
  /** Handles the uevents that have happened by now, after a wait for the first of them where none has; each device is probed at most once. */
  takeEvents(timeoutMs: number): void;
  close(): void;
}

/** Begins a search; from here on no uevent is lost. */
export function createSearch(machine: Machine, plan: DeviceWish, tools: Required<AttachTools>): Search {
  const { modules, voice, undo, guesses, terminals } = tools;
  machine.listenForDevices();
  const inventory: Inventory = new Map();
  scanDevices(machine, inventory);
  const look: Look = {
    name: createNamer(machine),
    links: (device) => listLinks(machine, device),
    holds: createContentSearch(machine, modules, voice),
  };
  const pools = createBtrfsPools(machine, modules, plan.rootOptions.split(",").includes("degraded"));
  const devices = () => insideFirst(machine, [...inventory.values()]);
  const find = (spec: DeviceSpec) => matchDevices(spec, devices(), look);
  const required = () => {
    const volumes = openers.flatMap((opener) => opener.required());
    // A medium may lie outside where its image is the volume: only its layers can tell.
    return plan.image !== null && volumes.every(({ outside }) => outside === null) ? [] : volumes;
  };
  const all = (spec: DeviceSpec) => [...new Set(find(spec).map((device) => innermost(openers, device)))];
  const matches = (spec: DeviceSpec) => {
    const volumes = required();
    // The first that holds a file counts: no stranger may be that, or even be mounted.
    if (spec.by === "file" && volumes.length > 0) {
      return matchDevices(spec, chooseTrusted(machine, devices(), volumes), look);
    }
    return chooseTrusted(machine, all(spec), volumes);
  };
  const takeEvents = (timeoutMs: number) => handleEvents(machine, { inventory, modules, voice }, timeoutMs);
  const deriver = createDeriver(machine);
  const scene: Scene = {
    ...{ machine, modules, voice, undo, terminals, deriver, devices, find, matches },
    look(name) {
      if (isWorthProbing(name)) lookAt(machine, inventory, name);
      return inventory.get(name) ?? null;
    },
    takeEvents: () => takeEvents(0),
  };
  const openers = createOpeners(scene, plan, guesses);
  return {
    ...{ inventory, modules, voice, pools, openers, terminals, takeEvents, lacks: new Map() },
    matches: (spec) => pools.oneOfEach(matches(spec)),
    strangers: (spec) => (spec.by === "file" || matches(spec).length > 0 ? [] : all(spec)),
    companions(device) {
      const volumes = required();
      if (volumes.length > 0) return chooseTrusted(machine, devices(), volumes);
      const isInside = liesInVolume(machine);
      return devices().filter((other) => isInside(other) === isInside(device));
    },
    containersOf: (device) => listContainers(openers, inventory, device),
    describe: (device) => first(openers, (opener) => opener.describe(device)),
    get missing() {
      return openers.flatMap((opener) => opener.missing());
    },
    close() {
      for (const opener of openers) opener.close();
      deriver.close();
      terminals.release();
    },
  };
}

/** What was opened before what anybody may have plugged in. */
function insideFirst(machine: Machine, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  if (!devices.some(({ name }) => name.startsWith("dm-"))) return devices;
  const isInside = liesInVolume(machine);
  return [...devices.filter(isInside), ...devices.filter((device) => !isInside(device))];
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

/** How often in a row, where drivers were loaded for what the events told of: what they found is to be seen at once. */
const MOST_TURNS = 4;

function handleEvents(machine: Machine, tools: EventTools, timeoutMs: number): void {
  const first = timeoutMs > 0 ? machine.nextDeviceEvent(timeoutMs) : null;
  let events = [...(first === null ? [] : [first]), ...takeQueuedEvents(machine)];
  for (let turn = 1; events.length > 0; turn++) {
    followEvents(machine, tools, events);
    const isDone = turn === MOST_TURNS || events.every(({ subsystem }) => subsystem === "block");
    events = isDone ? [] : [...takeQueuedEvents(machine)];
  }
}

type EventTools = Pick<Search, "inventory" | "modules" | "voice">;

function followEvents(
  machine: Machine,
  { inventory, modules, voice }: EventTools,
  events: readonly DeviceEvent[],
): void {
  for (const group of groupByDevice(events)) {
    const actions = [...new Set(group.map(({ action }) => action))].join(", ");
    const count = group.length === 1 ? "" : ` (${group.length} events)`;
    voice.debug(`uevent ${actions} ${printable(group[0]?.devpath ?? "")}${count}`);
    if (group[0]?.subsystem === "block") followDevice(machine, inventory, group);
    else for (const event of group) modules.handleEvent(event);
  }
  // The kernel dropped uevents: what is in /sys now is the truth.
  if (events.some(({ action }) => action === "overflow")) {
    scanDevices(machine, inventory);
    modules.coldplug();
  }
}
