import { isWorthProbing } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import { createHeldTerminals, type HeldTerminals } from "../prompt/held-terminals.ts";
import { type Assemblies, joinAssemblies } from "./assemblies.ts";
import type { Assembly, StorageContext, StoragePlan, Tries } from "./contract.ts";
import { followEvents, type Inventory, lookAt, scanDevices } from "./inventory.ts";
import { KINDS } from "./kinds/kinds.ts";
import { createSelection, type Selection } from "./selection.ts";

interface SearchOptions {
  /** Of the searches before this one; none by default. */
  readonly tries?: Tries;
  /** The consoles by default; released with the search. */
  readonly terminals?: HeldTerminals;
}

/** The devices of a machine while one of them is looked for. */
export interface Search
  extends Pick<Selection, "matches" | "strangers" | "unsearched">,
    Pick<Assemblies, "advance" | "inside" | "containersOf" | "state" | "problems" | "claim" | "close"> {
  readonly inventory: Inventory;
  readonly terminals: HeldTerminals;
  /** Handles the uevents that have happened by now, after a wait for the first of them if there is none; each device is probed at most once. */
  takeEvents(timeoutMs: number): void;
}

/** Begins a search; from here on no uevent is lost. */
export function createSearch(context: Context, plan: StoragePlan, options: SearchOptions = {}): Search {
  const { machine } = context;
  const { tries = new Map(), terminals = createHeldTerminals(machine) } = options;
  machine.listenForDevices();
  const inventory: Inventory = new Map();
  scanDevices(machine, inventory);
  const list: Assembly[] = [];
  const assemblies = joinAssemblies(list, inventory);
  const selection = createSelection(context, plan, inventory, assemblies);
  const takeEvents = (timeoutMs: number) => followEvents(context, inventory, timeoutMs);
  const shared: StorageContext = {
    ...context,
    ...selection,
    terminals,
    tries,
    state: assemblies.state,
    look(name) {
      if (isWorthProbing(name)) lookAt(machine, inventory, name);
      return inventory.get(name) ?? null;
    },
    takeEvents: () => takeEvents(0),
  };
  list.push(...KINDS.map((start) => start(shared, plan)));
  return {
    ...selection,
    ...assemblies,
    inventory,
    terminals,
    takeEvents,
    matches: (spec) => assemblies.oneOfEach(selection.matches(spec)),
    close() {
      assemblies.close();
      terminals.release();
    },
  };
}
