import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import type { Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import { BootError } from "../problems/errors.ts";
import { createHeldTerminals } from "../prompt/held-terminals.ts";
import { createNotice, createOpenerNotice } from "./notices.ts";
import type { Round } from "./opener.ts";
import { type AttachTools, createSearch, type DeviceWish, type Search } from "./search.ts";
import { describeMissing, describeStrangers, listShort, specText } from "./search-words.ts";
import { closeVolumes, liesIn, liesInVolume, listOpenVolumes } from "./trust.ts";

/** A device that was found. */
export interface Attached {
  readonly device: BlockDevice;
  /** The encrypted volumes that it lies in, the innermost first. */
  readonly containers: readonly BlockDevice[];
  /** True where a mount that fails may mean that one of them was opened wrongly. */
  readonly isGuess: boolean;
}

/**
 * Waits until a device is there that the plan calls the root, or `what` else it is to be. The root is a work-list: whatever
 * appears is offered to the openers, and what they make of it comes round again. Only uevents move it on. Throws BootError when
 * the time is up, or where an opener knows that it cannot come.
 */
export function attachDevice(
  machine: Machine,
  plan: DeviceWish,
  tools: AttachTools,
  what = "the root device",
): Attached {
  const [wanted, ...fallbacks] = plan.roots;
  if (wanted === undefined) throw new BootError("the plan names no root device");
  const search = createSearch(machine, plan, {
    ...{ guesses: new Map(), terminals: createHeldTerminals(machine) },
    ...tools,
  });
  try {
    const found = waitFor(machine, wanted, plan.rootTimeoutMs, search);
    if (found !== null) return accept(machine, wanted, found, search);
    for (const fallback of fallbacks) {
      const device = waitFor(machine, fallback, 0, search);
      if (device === null) continue;
      const reason = fallback.by === "file" ? `, ${specText(fallback)}` : " from rootfallback=";
      tools.voice.warn(`${specText(wanted)} did not appear, booting ${describeDevice(device)}${reason}`);
      return accept(machine, fallback, device, search);
    }
    throw describeMissing(what, plan, search);
  } finally {
    search.close();
  }
}

/** For the line of the step: `/dev/mapper/root ext4 "root" in /dev/vda2 crypto_LUKS`. */
export function describeAttached({ device, containers }: Attached): string {
  const outer = containers.map(({ node, facts }) => ` in ${node} ${facts.type ?? "dm-crypt"}`);
  return `${describeDevice(device)}${outer.join("")}`;
}

function waitFor(machine: Machine, wanted: DeviceSpec, timeoutMs: number | null, search: Search): BlockDevice | null {
  const patience = createPatience(machine, timeoutMs);
  const seen = () =>
    search.lacks.get(wanted) ?? describeStrangers(search.strangers(wanted)) ?? listShort(search.inventory);
  const notice = createNotice(wanted, timeoutMs, search.voice, seen);
  const openerNotice = createOpenerNotice(search.voice);
  const waitOnce = (round: Exclude<Round, "changed">): boolean => {
    if (round !== "idle") {
      const waitMs = Math.min(round.leftMs, openerNotice(round, machine.nowMs()));
      patience.uncounted(() => search.takeEvents(Math.max(1, waitMs)));
      return true;
    }
    const leftMs = patience.leftMs();
    if (leftMs > 0) search.takeEvents(Math.max(1, Math.min(leftMs, notice(patience.waitedMs()))));
    return leftMs > 0;
  };
  for (;;) {
    search.takeEvents(0); // all that is there now, so that a second device with the label is seen too
    const found = choose(wanted, search);
    const round = patience.uncounted(() => openOnce(search, found));
    if (round === "changed") continue;
    const isReady = found !== null && !search.openers.some((opener) => opener.isClosed(found));
    if (isReady && round === "idle") return found;
    if (search.modules.loadMore()) continue;
    if (!isReady) throwFailure(search);
    if (!waitOnce(round)) return null;
  }
}

interface Patience {
  waitedMs(): number;
  leftMs(): number;
  /** What a person or an opener takes is no wait for the device. */
  uncounted<T>(act: () => T): T;
}

function createPatience(machine: Machine, timeoutMs: number | null): Patience {
  let startMs = machine.nowMs();
  const waitedMs = () => machine.nowMs() - startMs;
  return {
    waitedMs,
    leftMs: () => (timeoutMs === null ? Number.POSITIVE_INFINITY : timeoutMs - waitedMs()),
    uncounted(act) {
      const beforeMs = machine.nowMs();
      const result = act();
      startMs += machine.nowMs() - beforeMs;
      return result;
    },
  };
}

/** A round of all openers, ended by the first that has changed something: what that made is theirs too. */
function openOnce({ openers }: Search, found: BlockDevice | null): Round {
  let result: Round = "idle";
  for (const opener of openers) {
    const round = opener.open(found);
    if (round === "changed") return round;
    if (round !== "idle") result = round;
  }
  return result;
}

function throwFailure({ openers }: Search): void {
  for (const opener of openers) {
    const failure = opener.failure();
    if (failure !== null) throw failure;
  }
}

/** The device that the spec means, or what was opened in it; null where there is none, or not all of it. */
function choose(spec: DeviceSpec, { matches, companions, pools, lacks }: Search): BlockDevice | null {
  lacks.delete(spec);
  const [first] = matches(spec);
  if (first === undefined) return null;
  const lack = pools.describeLack(first, companions(first));
  if (lack === null) return first;
  lacks.set(spec, lack);
  return null;
}

/** True where all lie in one volume, or none does. */
function isSameVolume(machine: Machine, found: readonly BlockDevice[]): boolean {
  const volumes = listOpenVolumes(machine);
  return !found.some(liesInVolume(machine)) || volumes.some(({ device }) => found.every(liesIn(machine, [device])));
}

function ambiguous(spec: DeviceSpec, nodes: string, count: number): BootError {
  return new BootError(`${count} devices in different encrypted volumes match ${specText(spec)}`, {
    cause: new BootError(`one of ${nodes} may be a copy that somebody else has made`),
    hint: "name the right volume: rd.luks.name=UUID=NAME root=/dev/mapper/NAME, or remove the other disk",
  });
}

function accept(machine: Machine, spec: DeviceSpec, device: BlockDevice, search: Search): Attached {
  const { voice, openers, missing } = search;
  const found = search.matches(spec);
  if (found.length > 1) {
    const nodes = found.map(({ node }) => node).join(" and ");
    if (!isSameVolume(machine, found)) throw ambiguous(spec, nodes, found.length);
    voice.warn(`${found.length} devices match ${specText(spec)}: ${nodes}; taking ${device.node}`);
  }
  if (!liesInVolume(machine)(device)) closeVolumes(machine, voice, `${describeDevice(device)} is not encrypted`);
  search.pools.claim(device, search.companions(device));
  for (const text of missing) voice.warn(`${text}, going on without it`);
  const containers = [...search.containersOf(device)];
  const isGuess = containers.some((container) => openers.some((opener) => opener.isGuess(container)));
  return { device, containers, isGuess };
}
