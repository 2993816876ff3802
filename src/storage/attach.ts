import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { Machine } from "../machine/machine.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import type { VainSearch } from "../problems/diagnoses/storage.ts";
import { problem } from "../problems/problem.ts";
import { sentence } from "../problems/report.ts";
import type { StoragePlan } from "./contract.ts";
import { notFound } from "./findings.ts";
import { createPatience, type Patience } from "./patience.ts";
import { listHibernatedBeside } from "./resume/beside.ts";
import { watchRivals } from "./rivals.ts";
import { createSearch, type Search, type SearchOptions } from "./search.ts";
import { specText } from "./search-words.ts";
import { closeVolumes, liesIn, liesInVolume, listOpenVolumes } from "./trust.ts";

/** A device that was found. */
export interface Attached {
  readonly device: BlockDevice;
  /** The volumes that it lies in, the innermost first. */
  readonly containers: readonly BlockDevice[];
  /** What may be wrong with one of them if a mount fails; null if nothing is. */
  readonly doubt: string | null;
  /** Hibernated systems on its disk: the filesystem on the device may belong to one. */
  readonly hibernated: readonly BlockDevice[];
  /** Every device that has answered. */
  readonly seen: readonly BlockDevice[];
}

/** What is attached, in words for a report, and what the search shares with others. */
export type AttachOptions = Partial<Pick<VainSearch, "wanted" | "name">> &
  Pick<SearchOptions, "tries" | "beforeWriting"> & {
    /** True if open volumes hold what was asked for by name, and stay open beside a device that is not encrypted. */
    readonly keepsVolumes?: boolean;
  };

/**
 * Waits until a device is present that the plan calls the root, or `wanted` otherwise. The root is a work-list: each device that
 * appears is offered to the assemblies, and what they make of it comes round again. Only uevents move it on. Throws BootError if
 * the time is up, or an assembly knows that the device cannot come.
 */
export function attachDevice(context: Context, plan: StoragePlan, options: AttachOptions = {}): Attached {
  const { wanted = "root", name = "", keepsVolumes = false, ...more } = options;
  const search = createSearch(context, plan, more);
  try {
    for (const [index, spec] of plan.roots.entries()) {
      const timeoutMs = index === 0 ? plan.rootTimeoutMs : 0;
      const device = waitFor(context, { plan, spec, timeoutMs }, search);
      if (device === null) continue;
      if (index > 0) {
        const [missing] = plan.roots.map(specText);
        const reason = spec.by === "file" ? `, ${specText(spec)}` : " from rootfallback=";
        context.voice.warn(`${missing} did not appear, booting ${describeDevice(device)}${reason}`);
      }
      return accept(context, { spec, device, wanted, keepsVolumes }, search);
    }
    throw notFound(context, { wanted, name }, plan, search);
  } finally {
    search.close();
  }
}

/** Returns the line of the step: `/dev/mapper/root ext4 "root" in /dev/vda2 crypto_LUKS`. */
export function describeAttached({ device, containers }: Attached): string {
  const outer = containers.map(({ node, facts }) => ` in ${node} ${facts.type ?? "dm-crypt"}`);
  return `${describeDevice(device)}${outer.join("")}`;
}

/** One device that is waited for. */
interface Wanted {
  readonly plan: StoragePlan;
  readonly spec: DeviceSpec;
  readonly timeoutMs: number | null;
}

/** Returns the first device that matches once it can be used; null if it does not appear in time. */
function waitFor(context: Context, wanted: Wanted, search: Search): BlockDevice | null {
  const patience = createPatience(context, wanted.spec, wanted.timeoutMs, search);
  try {
    return waitWith(patience, context, wanted, search);
  } finally {
    patience.end();
  }
}

function waitWith(patience: Patience, context: Context, { plan, spec }: Wanted, search: Search): BlockDevice | null {
  const rivals = watchRivals(context, plan, spec, search);
  for (;;) {
    search.takeEvents(0);
    search.settle();
    const candidate = search.matches(spec)[0] ?? null;
    const round = patience.uncounted(() => search.advance(candidate));
    if (round === "changed") continue;
    const usable = keepUsable(search, candidate);
    const next = round === "idle" ? rivals.roundBefore(usable) : round;
    if (usable !== null && next === "idle") return usable;
    if (context.drivers.loadMore()) continue;
    if (usable === null) throwIfInVain(search);
    if (!patience.wait(next)) return null;
  }
}

function throwIfInVain(search: Search): void {
  const failure = search.problems().find(({ isFatal }) => isFatal);
  if (failure !== undefined) throw failure.error;
}

/** Returns the device if it can be used. One that is open cannot: its content is another device, which may not have answered yet. */
function keepUsable(search: Search, device: BlockDevice | null): BlockDevice | null {
  const state = device === null ? null : search.state(device);
  return state === null || state.kind === "unopened" ? device : null;
}

/** True if all lie in one volume, or none does. */
function isSameVolume(machine: Machine, found: readonly BlockDevice[]): boolean {
  const volumes = listOpenVolumes(machine);
  return !found.some(liesInVolume(machine)) || volumes.some(({ device }) => found.every(liesIn(machine, [device])));
}

interface Candidate extends Pick<VainSearch, "wanted">, Required<Pick<AttachOptions, "keepsVolumes">> {
  readonly spec: DeviceSpec;
  readonly device: BlockDevice;
}

function accept(context: Context, { spec, device, wanted, keepsVolumes }: Candidate, search: Search): Attached {
  const { machine, voice } = context;
  const found = search.matches(spec);
  if (found.length > 1) {
    const nodes = found.map(({ node }) => node);
    // Which of them is written to must not depend on which came first.
    if (wanted === "store") throw problem("store-ambiguous", { spec: specText(spec), nodes });
    if (!isSameVolume(machine, found)) throw problem("ambiguous-device", { spec: specText(spec), nodes });
    voice.warn(`${found.length} devices match ${specText(spec)}: ${nodes.join(" and ")}; using ${device.node}`);
  }
  if (!keepsVolumes && !liesInVolume(machine)(device))
    closeVolumes(machine, voice, `${describeDevice(device)} is not encrypted`);
  search.leave();
  search.claim(device);
  for (const { error } of search.problems()) voice.warn(`${sentence(error)}, continuing without it`);
  const containers = search.containersOf(device);
  const states = containers.map((container) => search.state(container));
  const doubt = states.find((state) => state?.kind === "unproven")?.doubt ?? null;
  const mountSource = search.mountSource(device);
  const whole = mountSource === null ? device : { ...device, mountSource };
  const hibernated = listHibernatedBeside(machine, device, search.inventory);
  return { device: whole, containers, doubt, hibernated, seen: [...search.inventory.values()] };
}
