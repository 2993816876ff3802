import type { BootPlan, DeviceSpec } from "../config/plan.ts";
import { BootError } from "../errors.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { type BtrfsPools, createBtrfsPools, type FilesystemByType } from "../openers/btrfs.ts";
import { printable } from "../report.ts";
import type { Voice } from "../voice.ts";
import { type BlockDevice, describeDevice } from "./block-devices.ts";
import { createContentSearch } from "./device-content.ts";
import { createNamer, type Inventory, scanDevices, updateDevice } from "./inventory.ts";
import { type Look, matchDevices } from "./match.ts";
import { listLinks } from "./persistent-names.ts";
import { describeMissing, describeWait, listShort, specText } from "./search-words.ts";

/** What the wait needs of the module loader: a driver for hardware that has just appeared. */
export interface EventHandler extends FilesystemByType {
  handleEvent(event: DeviceEvent): void;
  coldplug(): void;
  /** Loads drivers that were left for later; false where none is left. */
  loadMore(): boolean;
}

/** A wait longer than this is told, and told again each time it has doubled. */
const FIRST_NOTICE_MS = 1000;

/** Which device is waited for, how long, and with which options it will be mounted: as the plan has it for the root. */
export type DeviceWish = Pick<BootPlan, "roots" | "rootTimeoutMs" | "rootOptions">;

/** Waits until a device is there that the plan calls the root, or `what` else it is to be. Only uevents move it on; throws BootError when the time is up. */
export function attachDevice(
  machine: Machine,
  plan: DeviceWish,
  modules: EventHandler,
  voice: Voice,
  what = "the root device",
): BlockDevice {
  const [wanted, ...fallbacks] = plan.roots;
  if (wanted === undefined) throw new BootError("the plan names no root device");
  machine.listenForDevices();
  const inventory: Inventory = new Map();
  scanDevices(machine, inventory);
  const pools = createBtrfsPools(machine, modules, plan.rootOptions.split(",").includes("degraded"));
  const lacks = new Map<DeviceSpec, string>();
  const look = {
    name: createNamer(machine),
    links: (device: BlockDevice) => listLinks(machine, device),
    holds: createContentSearch(machine, modules, voice),
  };
  const search = { inventory, look, modules, voice, pools, lacks };
  const found = waitFor(machine, wanted, plan.rootTimeoutMs, search);
  if (found !== null) return found;
  for (const fallback of fallbacks) {
    const device = choose(fallback, search);
    if (device === null) continue;
    const reason = fallback.by === "file" ? `, ${specText(fallback)}` : " from rootfallback=";
    voice.warn(`${specText(wanted)} did not appear, booting ${describeDevice(device)}${reason}`);
    return device;
  }
  throw describeMissing(what, plan, inventory, lacks);
}

interface Search {
  readonly inventory: Inventory;
  readonly look: Look;
  readonly modules: EventHandler;
  readonly voice: Voice;
  readonly pools: BtrfsPools;
  /** What is there in part: why it is not taken. */
  readonly lacks: Map<DeviceSpec, string>;
}

function waitFor(machine: Machine, wanted: DeviceSpec, timeoutMs: number | null, search: Search): BlockDevice | null {
  const startMs = machine.nowMs();
  const notice = createNotice(wanted, timeoutMs, search);
  for (;;) {
    while (takeEvent(machine, search, 0)); // all that is there now, so that a second device with the label is seen too
    const found = choose(wanted, search);
    if (found !== null) return found;
    if (search.modules.loadMore()) continue;
    const waitedMs = machine.nowMs() - startMs;
    const leftMs = timeoutMs === null ? Number.POSITIVE_INFINITY : timeoutMs - waitedMs;
    if (leftMs <= 0) return null;
    takeEvent(machine, search, Math.max(1, Math.min(leftMs, notice(waitedMs))));
  }
}

/** Tells of the wait when it has grown long enough, and what is there so far when that is news; returns the milliseconds until it wants to speak again. */
function createNotice(wanted: DeviceSpec, timeoutMs: number | null, search: Search): (waitedMs: number) => number {
  let noticeMs = FIRST_NOTICE_MS;
  let told: string | null = null;
  return (waitedMs) => {
    if (waitedMs >= noticeMs) {
      const seen = search.lacks.get(wanted) ?? listShort(search.inventory);
      const news = seen === told ? "" : ` · seen: ${seen}`;
      search.voice.progress(`${describeWait(wanted, waitedMs, timeoutMs)}${news}`);
      told = seen;
      noticeMs = waitedMs * 2;
    }
    return noticeMs - waitedMs;
  };
}

/** Handles the next uevent; false when none came in time. */
function takeEvent(machine: Machine, { inventory, modules, voice }: Search, timeoutMs: number): boolean {
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

function choose(spec: DeviceSpec, { inventory, look, voice, pools, lacks }: Search): BlockDevice | null {
  lacks.delete(spec);
  const all = [...inventory.values()];
  const found = pools.oneOfEach(matchDevices(spec, all, look));
  const [first, ...others] = found;
  if (first === undefined) return null;
  const lack = pools.describeLack(first, all);
  if (lack !== null) {
    lacks.set(spec, lack);
    return null;
  }
  if (others.length > 0) {
    const nodes = found.map(({ node }) => node).join(" and ");
    voice.warn(`${found.length} devices match ${specText(spec)}: ${nodes}; taking ${first.node}`);
  }
  return first;
}
