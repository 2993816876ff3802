import { type BlockDevice, describeDevice } from "../devices/block-devices.ts";
import { describeUnanswered } from "../devices/device-probe.ts";
import { listEmptyDrives } from "../devices/drives.ts";
import type { Inventory } from "../devices/inventory.ts";
import type { Context } from "../drivers/context.ts";
import { findModuleGap } from "../drivers/module-source.ts";
import type { DeviceSpec } from "../parameters/device-spec.ts";
import { describeStrangers, type VainSearch } from "../problems/diagnoses/storage.ts";
import type { BootError } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { printable, sentence } from "../problems/report.ts";
import { findSearchCauses } from "./causes/search-causes.ts";
import type { StoragePlan } from "./contract.ts";
import type { Search } from "./search.ts";
import { describeSpec, specText } from "./search-words.ts";

const MOST_NAMED = 3;

/** Returns what a wait for `spec` has found so far, in one line: members, devices that are not used, or everything. */
export function describeFound(search: Search, spec: DeviceSpec): string {
  const lack = lackOf(search, spec);
  if (lack !== null) return lack;
  const strangers = search.strangers(spec);
  return strangers.length > 0 ? describeStrangers(strangers.map(describeDevice), search.isVerified) : listShort(search);
}

/** Returns which members of the first match are present; null if it is complete, or there is none. */
function lackOf(search: Search, spec: DeviceSpec): string | null {
  const [first] = search.matches(spec);
  const state = first === undefined ? null : search.state(first);
  return state?.kind === "incomplete" ? state.text : null;
}

/** As many devices as fit into a line; the report lists all. */
function listShort({
  inventory,
  unanswered,
  seen: listSeen,
}: Pick<Search, "inventory" | "unanswered" | "seen">): string {
  const seen = [...listTelling(inventory).map(describeDevice), ...unanswered().map(describeUnanswered)];
  const more = seen.length > MOST_NAMED ? [`${seen.length - MOST_NAMED} more`] : [];
  const devices = [...seen.slice(0, MOST_NAMED), ...more];
  return [...(devices.length > 0 ? devices : ["no block device yet"]), ...listSeen()].join(" · ");
}

/** Without disks that hold nothing but a partition table, if their partitions are there: those say more. */
function listTelling(inventory: Inventory): readonly BlockDevice[] {
  const devices = [...inventory.values()];
  const hasPartitions = ({ name }: BlockDevice) => devices.some(({ partition }) => partition?.disk === name);
  return devices.filter((device) => {
    const { partitionTable, type, ambivalent } = device.facts;
    return partitionTable === null || type !== null || ambivalent.length > 0 || !hasPartitions(device);
  });
}

/** Returns a device and its state, for a report; `isOver`: of a search that failed, which closes what it has opened. */
export function describeSeen({ state }: Pick<Search, "state">, device: BlockDevice, isOver = false): string {
  const known = state(device);
  const isClosed = isOver && (known?.kind === "open" || known?.kind === "unproven") && known.closes;
  // Which members are missing is the reason, and stands there.
  const note =
    known === null || known.kind === "incomplete" ? "" : ` (${known.text}${isClosed ? ", closed again" : ""})`;
  return `${describeDevice(device)}${note}`;
}

/** Returns the error of a search that is over. */
export function notFound(
  context: Pick<Context, "machine" | "drivers">,
  { wanted, name }: Pick<VainSearch, "wanted" | "name">,
  { roots, rootTimeoutMs, verity }: Pick<StoragePlan, "roots" | "rootTimeoutMs" | "verity">,
  search: Search,
): BootError {
  const devices = roots.map((spec) => ({
    noun: describeSpec(spec),
    spec: specText(spec),
    incomplete: lackOf(search, spec),
    strangers: search.strangers(spec).map((device) => ({
      text: describeDevice(device),
      node: device.node,
      luksUuid: device.facts.type === "crypto_LUKS" ? printable(device.facts.uuid ?? "") : null,
    })),
  }));
  const telling = listTelling(search.inventory);
  const isUnasked = (device: BlockDevice) => {
    const state = search.state(device);
    return state?.kind === "closed" && !state.isWanted;
  };
  const drives = listEmptyDrives(context.machine, [...search.inventory.values()]).map((node) => `${node} (no medium)`);
  const unanswered = search.unanswered().map(describeUnanswered);
  const seen = [...telling.map((device) => describeSeen(search, device, true)), ...unanswered, ...drives];
  const problems = search.problems();
  const facts: VainSearch = {
    wanted,
    name,
    devices,
    isVerified: verity.length > 0,
    withinSeconds: rootTimeoutMs === null ? null : Math.round(rootTimeoutMs / 1000),
    troubles: problems.map(({ error }) => sentence(error)),
    known: problems.flatMap(({ error, isCause }) => (isCause ? error.hints : [])),
    moduleGap: findModuleGap(context.machine),
    isAnyDevicePresent: seen.length > 0,
    isAnyUnasked: telling.some(isUnasked),
    causes: findSearchCauses({ context, search, specs: roots }, wanted),
  };
  return problem("device-not-found", facts, { seen: seen.length > 0 ? seen : ["no block device at all"] });
}
