import { dirname } from "node:path";
import type { Context } from "../../drivers/context.ts";
import { isMounted } from "../../filesystems/mounts.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { requireOneSide } from "../../storage/trust.ts";
import type { StackedRoot } from "../layers.ts";
import { findUpperNames } from "../store/layout.ts";
import { openStore } from "../store/open-store.ts";
import { orGoOn } from "../store/policy.ts";
import { openSettled } from "../store/settled-store.ts";
import { orStoreProblem } from "../store/upper.ts";
import { settleBranch } from "../sync/settle.ts";
import type { UnionSubmount } from "./submount.ts";

interface UnionOrder {
  readonly union: UnionSubmount;
  /** The directory of the root. */
  readonly covered: string;
  readonly root: StackedRoot;
}

/** The changes of earlier boots. */
interface Kept {
  /** The tree of changes; null if there are none yet and nothing may be written. */
  readonly directory: string | null;
  /** For a person, safe to print. */
  readonly text: string;
}

/** Opens the place on a disk with the changes of earlier boots; null if the union has none, or the policy allows to go on without it. Throws BootError. */
export function openKept(context: Context, plan: BootPlan, order: UnionOrder): Kept | null {
  const { store, policy, path } = order.union;
  if (store === null) return null;
  const loss = `booting without what was kept of ${printable(path)}`;
  return orGoOn(context, policy, loss, (inner) => open(inner, plan, { ...order, store }));
}

type StoreOrder = UnionOrder & { readonly store: NonNullable<UnionSubmount["store"]> };

function open(context: Context, plan: BootPlan, { union, covered, root, store }: StoreOrder): Kept {
  const { machine, voice } = context;
  const order = { store, ...union.storePlaces };
  // As for the other places of unions.
  machine.makeDirectory(dirname(order.place), 0o700);
  const opened = union.readOnly
    ? openSettled(context, plan, { ...order, access: "untouched" })
    : openStore(context, plan, { ...order, access: "writable" });
  // The other way round is allowed: encrypted changes over a root that anyone may read were asked for by name.
  if (root.isInside === true) requireOneSide(machine, [{ text: "the root", isInside: true }, opened], voice);
  const { upper } = opened.names ?? findUpperNames(machine, opened.directory);
  const directory = `${opened.directory}/${upper}`;
  if (!union.readOnly) orStoreProblem(opened, () => settleBranch(machine, directory, voice));
  const kind = machine.lstat(directory)?.kind ?? null;
  if (kind === null && union.readOnly) return { directory: null, text: opened.text };
  if (kind === null) {
    orStoreProblem(opened, () => {
      machine.makeDirectory(directory);
      machine.copyAttributes(covered, directory);
    });
  } else if (kind !== "directory") {
    const why = `it is a ${kind}, not a directory`;
    throw problem("store-path", { store: opened.name, node: opened.node, path: `/${upper}`, why });
  }
  return { directory, text: opened.text };
}

/** Makes the mounts of a store read-only: only levain sync writes there, through a mount of its own. */
export function lockKept({ machine }: Context, { store, readOnly, storePlaces }: UnionSubmount): void {
  if (store === null || readOnly) return;
  for (const target of [storePlaces.place, storePlaces.outer]) {
    if (!isMounted(machine, target)) continue;
    machine.mount({ source: "none", target, type: "", flags: ["remount", "bind", "ro"], options: "" });
  }
}
