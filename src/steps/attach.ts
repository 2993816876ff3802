import { formatDeviceSpec } from "../config/device-spec.ts";
import type { BootPlan, DeviceSpec } from "../config/plan.ts";
import { BootError } from "../errors.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { printable } from "../report.ts";
import type { Voice } from "../voice.ts";
import {
  type BlockDevice,
  describeDevice,
  isWorthProbing,
  listBlockDeviceNames,
  namePartition,
  readBlockDevice,
} from "./block-devices.ts";
import { matchDevices, type Namer } from "./match.ts";

/** What the wait needs of the module loader: a driver for hardware that has just appeared. */
export interface EventHandler {
  handleEvent(event: DeviceEvent): void;
  coldplug(): void;
  /** Loads drivers that were left for later; false where none is left. */
  loadMore(): boolean;
}

/** A wait longer than this is told, and told again each time it has doubled. */
const FIRST_NOTICE_MS = 1000;

const MOST_NAMED = 3;

type Inventory = Map<string, BlockDevice>;

/** Waits until a device is there that the plan calls the root. Only uevents move it on; throws BootError when the time is up. */
export function attachRoot(machine: Machine, plan: BootPlan, modules: EventHandler, voice: Voice): BlockDevice {
  const [wanted, ...fallbacks] = plan.roots;
  if (wanted === undefined) throw new BootError("the plan names no root device");
  machine.listenForDevices();
  const inventory: Inventory = new Map();
  scan(machine, inventory);
  const name = createNamer(machine);
  const found = waitFor(machine, wanted, plan.rootTimeoutMs, { inventory, name, modules, voice });
  if (found !== null) return found;
  for (const fallback of fallbacks) {
    const device = choose(fallback, inventory, name, voice);
    if (device === null) continue;
    voice.warn(`${specText(wanted)} did not appear, booting ${describeDevice(device)} from rootfallback=`);
    return device;
  }
  throw notFound(plan, inventory);
}

interface Search {
  readonly inventory: Inventory;
  readonly name: Namer;
  readonly modules: EventHandler;
  readonly voice: Voice;
}

function waitFor(machine: Machine, wanted: DeviceSpec, timeoutMs: number | null, search: Search): BlockDevice | null {
  const startMs = machine.nowMs();
  let noticeMs = FIRST_NOTICE_MS;
  let told: string | null = null;
  for (;;) {
    while (takeEvent(machine, search, 0)); // all that is there now, so that a second device with the label is seen too
    const found = choose(wanted, search.inventory, search.name, search.voice);
    if (found !== null) return found;
    if (search.modules.loadMore()) continue;
    const waitedMs = machine.nowMs() - startMs;
    const leftMs = timeoutMs === null ? Number.POSITIVE_INFINITY : timeoutMs - waitedMs;
    if (leftMs <= 0) return null;
    if (waitedMs >= noticeMs) {
      const seen = listShort(search.inventory);
      const news = seen === told ? "" : ` · seen: ${seen}`;
      search.voice.progress(`${describeWait(wanted, waitedMs, timeoutMs)}${news}`);
      told = seen;
      noticeMs = waitedMs * 2;
    }
    takeEvent(machine, search, Math.max(1, Math.min(leftMs, noticeMs - waitedMs)));
  }
}

/** Handles the next uevent; false when none came in time. */
function takeEvent(machine: Machine, { inventory, modules, voice }: Search, timeoutMs: number): boolean {
  const event = machine.nextDeviceEvent(timeoutMs);
  if (event === null) return false;
  voice.debug(`uevent ${event.action} ${printable(event.devpath)}`);
  if (event.action === "overflow") {
    // The kernel dropped uevents: what is in /sys now is the truth.
    scan(machine, inventory);
    modules.coldplug();
  } else if (event.subsystem === "block") {
    update(machine, inventory, event);
  } else {
    modules.handleEvent(event);
  }
  return true;
}

function update(machine: Machine, inventory: Inventory, event: DeviceEvent): void {
  const name = event.devpath.slice(event.devpath.lastIndexOf("/") + 1);
  if (event.action === "remove") {
    inventory.delete(name);
  } else if (isWorthProbing(name) && !(event.action === "add" && inventory.has(name))) {
    add(machine, inventory, name);
  }
}

function scan(machine: Machine, inventory: Inventory): void {
  const present = listBlockDeviceNames(machine);
  for (const name of inventory.keys()) if (!present.includes(name)) inventory.delete(name);
  for (const name of present) if (!inventory.has(name)) add(machine, inventory, name);
}

function add(machine: Machine, inventory: Inventory, name: string): void {
  const device = readBlockDevice(machine, name);
  if (device === null) inventory.delete(name);
  else inventory.set(name, device);
}

function choose(spec: DeviceSpec, inventory: Inventory, name: Namer, voice: Voice): BlockDevice | null {
  const found = matchDevices(spec, [...inventory.values()], name);
  const [first, ...others] = found;
  if (first === undefined) return null;
  if (others.length > 0) {
    const all = found.map(({ node }) => node).join(" and ");
    voice.warn(`${found.length} devices match ${specText(spec)}: ${all}; taking ${first.node}`);
  }
  return first;
}

/** Partition tables are read once for each partition, and only when a spec asks for what is in them. */
function createNamer(machine: Machine): Namer {
  const known = new WeakMap<BlockDevice, ReturnType<Namer>>();
  return (device) => {
    const name = known.get(device) ?? namePartition(machine, device);
    known.set(device, name);
    return name;
  };
}

function specText(spec: DeviceSpec): string {
  return printable(formatDeviceSpec(spec));
}

function describeWait(wanted: DeviceSpec, waitedMs: number, timeoutMs: number | null): string {
  const limit = timeoutMs === null ? "" : ` of ${Math.round(timeoutMs / 1000)}`;
  return `waiting for ${specText(wanted)}, ${Math.round(waitedMs / 1000)}${limit} s`;
}

/** As many as one line bears; the report has them all. */
function listShort(inventory: Inventory): string {
  const seen = listTelling(inventory).map(describeDevice);
  const more = seen.length > MOST_NAMED ? [`${seen.length - MOST_NAMED} more`] : [];
  return [...seen.slice(0, MOST_NAMED), ...more].join(" · ") || "no block device yet";
}

/** Whole disks with a partition table say nothing that their partitions do not say better. */
function listTelling(inventory: Inventory): readonly BlockDevice[] {
  return [...inventory.values()].filter(({ facts }) => facts.partitionTable === null || facts.type !== null);
}

function describeSeen(device: BlockDevice): string {
  const locked = device.facts.type === "crypto_LUKS" ? " (encrypted: nothing asks to unlock it)" : "";
  return `${describeDevice(device)}${locked}`;
}

const MISSING: Readonly<Record<DeviceSpec["by"], string>> = {
  path: "no device",
  number: "no device",
  label: "no device with label",
  uuid: "no device with UUID",
  partlabel: "no partition named",
  partuuid: "no partition with PARTUUID",
};

function notFound(plan: BootPlan, inventory: Inventory): BootError {
  const within = plan.rootTimeoutMs === null ? "" : ` within ${Math.round(plan.rootTimeoutMs / 1000)} s`;
  const reasons = plan.roots.map((spec, index) => {
    const value =
      spec.by === "path" || spec.by === "number"
        ? formatDeviceSpec(spec)
        : `"${formatDeviceSpec(spec).replace(/^[A-Z]+=/, "")}"`;
    return `${MISSING[spec.by]} ${printable(value)} appeared${index === 0 ? within : " either (rootfallback=)"}`;
  });
  const seen = listTelling(inventory).map(describeSeen);
  return new BootError("could not find the root device", {
    cause: new BootError(reasons.join("\n")),
    seen: seen.length > 0 ? seen : ["no block device at all"],
    hint:
      seen.length > 0
        ? "correct root= in the boot loader, try one with `levain retry root=…`, or add the disk's driver: levain image --module NAME"
        : "the disk's driver is missing or the disk is: `levain status` lists devices without a driver; add it with levain image --module NAME",
  });
}
