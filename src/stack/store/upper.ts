import type { Context } from "../../drivers/context.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import type { Upper } from "../root-stack.ts";
import { findUpperNames, type UpperNames } from "./layout.ts";
import { identifyLower, type LowerIdentity, readLowers, writeLowers } from "./lowers-record.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { finishReset, resetUpper } from "./reset.ts";

/** The upper of an overlay that is a place on a disk. */
export type StoreUpper = Extract<Upper, { kind: "store" }>;

/** The directories of an open upper, as absolute paths. */
export interface OpenUpper extends UpperNames {
  readonly store: OpenStore;
}

/**
 * Opens a store and makes its directories ready for overlayfs, above these lowers. With `readOnly` nothing is
 * written; `upper` is then shown below a tmpfs. Throws BootError.
 */
export function openUpper(
  context: Context,
  plan: BootPlan,
  upper: StoreUpper,
  lowers: readonly { readonly text: string; readonly superblock: string | null }[],
): OpenUpper {
  const { machine, voice } = context;
  const { place, outer, readOnly } = upper;
  const store = openStore(context, plan, {
    store: upper.store,
    place,
    outer,
    access: readOnly ? "untouched" : "writable",
  });
  const names = store.names ?? findUpperNames(machine, store.directory);
  const paths = { upper: `${store.directory}/${names.upper}`, work: `${store.directory}/${names.work}` };
  if (lowers.some(({ superblock }) => superblock === store.node)) {
    const why = "it is a part of the root, and one lower layer would contain the changes";
    throw problem("store-path", { store: store.name, node: store.node, path: upper.store.path ?? "/", why });
  }
  if (readOnly) {
    requireDirectory(machine, store, paths.upper);
    return { store, ...paths };
  }
  orStoreProblem(store, () => {
    finishReset(machine, store.directory, names);
    if (upper.reset) resetUpper(machine, voice, store, names);
    for (const path of [paths.upper, paths.work]) {
      if (machine.lstat(path) === null) machine.makeDirectory(path, 0o755);
      requireDirectory(machine, store, path);
    }
    const identities = lowers.map(({ text, superblock }) => identifyLower(machine, text, superblock));
    recordLowers(machine, store, identities);
  });
  return { store, ...paths };
}

/** Throws BootError if the upper was made on other lowers: overlayfs would show a mixture of both systems. One without a record is taken to belong to these. */
function recordLowers(machine: Machine, store: OpenStore, lowers: readonly LowerIdentity[]): void {
  const { directory, name, node } = store;
  const recorded = readLowers(machine, directory);
  const ids = (all: readonly LowerIdentity[]) => all.map(({ id }) => id);
  if (recorded !== null && !Bun.deepEquals(ids(recorded), ids(lowers))) {
    const names = (all: readonly LowerIdentity[]) => all.map((one) => one.name);
    throw problem("store-other-lowers", { store: name, node, made: names(recorded), present: names(lowers) });
  }
  if (recorded === null) writeLowers(machine, directory, lowers);
}

function requireDirectory(machine: Machine, { directory, name, node }: OpenStore, path: string): void {
  const kind = machine.lstat(path)?.kind;
  if (kind === "directory") return;
  const why = kind === undefined ? "it does not exist: nothing was ever changed" : `it is a ${kind}, not a directory`;
  throw problem("store-path", { store: name, node, path: printable(path.slice(directory.length)), why });
}

/** Turns what the kernel refuses into the problem that it is for a store. */
function orStoreProblem(store: OpenStore, act: () => void): void {
  unlessRefused(act, (refusal) => {
    const { name, node } = store;
    const isFull = refusal.code === "ENOSPC" || refusal.code === "EDQUOT";
    if (isFull) throw problem("store-full", { store: name, node, freeBytes: 0, neededBytes: 1024 * 1024 });
    throw problem("store-read-only", { store: name, node, why: describeRefusal(refusal) });
  });
}
