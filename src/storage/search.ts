import { type BlockDevice, isWorthProbing } from "../devices/block-devices.ts";
import { SLOW_MS } from "../devices/device-probe.ts";
import type { Inventory } from "../devices/inventory.ts";
import type { Context } from "../drivers/context.ts";
import { createHeldTerminals, type HeldTerminals } from "../prompt/held-terminals.ts";
import { type Assemblies, joinAssemblies } from "./assemblies.ts";
import type { Assembly, StorageContext, StoragePlan, Tries } from "./contract.ts";
import { createDeviceProbes, type DeviceProbes } from "./device-probes.ts";
import { followEvents } from "./inventory.ts";
import { KINDS } from "./kinds/kinds.ts";
import { createSelection, type Selection } from "./selection.ts";

/** What a search shares with others, and asks of who began it. */
export interface SearchOptions {
  /** Of the searches before this one; none by default. */
  readonly tries?: Tries;
  /** The consoles by default; released with the search. */
  readonly terminals?: HeldTerminals;
  /** Of the context; nothing by default. */
  readonly beforeWriting?: StorageContext["beforeWriting"];
}

/** The devices of a machine while one of them is looked for. */
export interface Search
  extends Pick<Selection, "find" | "matches" | "strangers" | "unsearched">,
    Pick<
      Assemblies,
      | "advance"
      | "lastResort"
      | "dueMs"
      | "seen"
      | "links"
      | "inside"
      | "containersOf"
      | "state"
      | "problems"
      | "claim"
      | "mountSource"
      | "close"
    > {
  readonly inventory: Inventory;
  /** True if the device has to be verified by dm-verity. */
  readonly isVerified: boolean;
  /** The devices that have not answered yet. */
  readonly unanswered: DeviceProbes["unanswered"];
  readonly leave: DeviceProbes["leave"];
  readonly terminals: HeldTerminals;
  /** Handles the uevents that have happened by now, after a wait for the first of them if there is none; each device is probed at most once. */
  takeEvents(timeoutMs: number): void;
  /** Waits until every device has answered, but for none longer than a second: a second device with the label of the root is seen too. */
  settle(): void;
}

/** How often a device that does not answer is looked at. */
const TURN_MS = 100;
/** What lies in a volume that was just opened answers when the disk below does. Without its content the volume would be closed again. */
const MADE_MS = 30_000;

/** Begins a search; from here on no uevent is lost. */
export function createSearch(context: Context, plan: StoragePlan, options: SearchOptions = {}): Search {
  const { machine } = context;
  const { tries = new Map(), terminals = createHeldTerminals(machine), beforeWriting = () => undefined } = options;
  machine.listenForDevices();
  const probes = createDeviceProbes(context);
  const { inventory } = probes;
  context.drivers.watchDisks(() => probes.unanswered().length > 0);
  probes.scan();
  const list: Assembly[] = [];
  const assemblies = joinAssemblies(list, inventory);
  const selection = createSelection(context, plan, probes, assemblies);
  const isFound = createFoundTest(plan, selection);
  const takeEvents = (timeoutMs: number) => followEvents(context, probes, timeoutMs, isFound);
  const shared: StorageContext = {
    ...context,
    ...selection,
    terminals,
    tries,
    state: assemblies.state,
    named: (name) => inventory.get(name) ?? null,
    isSettled: () => probes.unanswered().length === 0,
    look(name) {
      if (isWorthProbing(name)) probes.look(name, MADE_MS);
      return inventory.get(name) ?? null;
    },
    takeEvents: () => takeEvents(0),
    beforeWriting,
  };
  list.push(...KINDS.map((start) => start(shared, plan)));
  return {
    ...selection,
    ...assemblies,
    state(device) {
      const used = selection.otherPath(device);
      const text = `another path to ${used?.node}`;
      return used === null ? assemblies.state(device) : { kind: "open", text, closes: false };
    },
    inventory,
    isVerified: plan.verity.length > 0,
    unanswered: probes.unanswered,
    leave: probes.leave,
    terminals,
    takeEvents,
    settle() {
      const deadlineMs = machine.nowMs() + SLOW_MS;
      const leftMs = () => Math.min(probes.settlingMs(), deadlineMs - machine.nowMs());
      for (let waitMs = leftMs(); waitMs > 0; waitMs = leftMs()) takeEvents(Math.min(waitMs, TURN_MS));
    },
    matches: (spec) => assemblies.oneOfEach(selection.matches(spec)),
    close() {
      probes.close();
      selection.close();
      assemblies.close();
      terminals.release();
    },
  };
}

/** Returns a test that is true if another device than before is what the plan looks for, by its name: a search by content mounts devices. */
function createFoundTest({ roots: [spec] }: StoragePlan, { matches }: Pick<Selection, "matches">): () => boolean {
  let before: BlockDevice | undefined;
  return () => {
    const first = spec === undefined || spec.by === "file" ? undefined : matches(spec)[0];
    const isNew = first !== undefined && first !== before;
    before = first;
    return isNew;
  };
}
