import type { Context } from "../../drivers/context.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { tolerateRefusal } from "../../problems/errors.ts";
import { isUnsettled, settleBranch } from "../sync/settle.ts";
import { findUpperNames } from "./layout.ts";
import { type OpenStore, openStore, type StoreOrder } from "./open-store.ts";

/**
 * Opens a store that is only shown. An interrupted `levain sync`, and a factory reset, are completed first, with the store writable
 * for that time: half of the changes must not be shown. `listBranches` returns the trees of changes in the open store.
 */
export function openSettled(
  context: Context,
  plan: BootPlan,
  order: StoreOrder,
  listBranches = (store: OpenStore): readonly string[] => [upperOf(context, store)],
): OpenStore {
  const { machine, voice } = context;
  const takeBacks: (() => void)[] = [];
  const inner: Context = { ...context, undo: (takeBack) => takeBacks.push(takeBack) };
  const close = () => {
    for (const takeBack of takeBacks.splice(0).toReversed()) tolerateRefusal(takeBack);
  };
  try {
    const shown = openStore(inner, plan, order);
    if (!listBranches(shown).some((path) => isUnsettled(machine, path))) {
      for (const takeBack of takeBacks.splice(0)) context.undo(takeBack);
      return shown;
    }
    close();
    const store = openStore(inner, plan, { ...order, access: "writable" });
    for (const path of listBranches(store)) settleBranch(machine, path, voice);
  } finally {
    close();
  }
  return openStore(context, plan, order);
}

function upperOf({ machine }: Context, { directory, names }: OpenStore): string {
  return `${directory}/${(names ?? findUpperNames(machine, directory)).upper}`;
}
