import type { Context } from "../../drivers/context.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal, printable } from "../../problems/report.ts";
import type { Upper } from "../root-stack.ts";
import { settleBranch } from "../sync/settle.ts";
import { findUpperNames, SPECIAL, type UpperNames } from "./layout.ts";
import { identifyLower, type LowerIdentity, readLowers, writeLowers } from "./lowers-record.ts";
import { requireSpace } from "./mount-store.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { finishReset, resetUpper } from "./reset.ts";
import { openSettled } from "./settled-store.ts";

/** The upper of an overlay that is a place on a disk. */
export type StoreUpper = Extract<Upper, { kind: "store" }>;

/** Of a record, which anyone may have written. */
const MOST_NAMES = 12;
const MOST_CHARACTERS = 100;

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
  const { place, outer, readOnly, opened } = upper;
  const access = readOnly ? "untouched" : "writable";
  const order = { store: upper.store, place, outer, access, mayBeFull: upper.reset } as const;
  const open = readOnly ? openSettled : openStore;
  const store = opened ?? open(context, plan, order);
  const names = store.names ?? findUpperNames(machine, store.directory);
  const paths = { upper: `${store.directory}/${names.upper}`, work: `${store.directory}/${names.work}` };
  if (lowers.some(({ superblock }) => superblock === store.node)) {
    const why = "it is a part of the root, and one lower layer would contain the changes";
    throw problem("store-path", { store: store.name, node: store.node, path: upper.store.path ?? "/", why });
  }
  if (SPECIAL.test(store.directory)) {
    const why = "overlayfs cannot use a path with a comma, a colon or a backslash";
    throw problem("store-path", { store: store.name, node: store.node, path: printable(store.directory), why });
  }
  const identities = () => lowers.map(({ text, superblock }) => identifyLower(machine, text, superblock));
  if (readOnly) {
    requireDirectory(machine, store, paths.upper);
    const other = findOther(machine, store, identities());
    if (other !== null) voice.warn(`the changes on ${store.name} were made on ${other.join(" + ")}`);
    return { store, ...paths };
  }
  orStoreProblem(store, () => {
    settleBranch(machine, paths.upper, voice);
    finishReset(machine, store.directory, names);
    if (upper.reset) resetUpper(machine, voice, store, names);
    requireSpace(machine, store.name, store.node, store.directory);
    for (const path of [paths.upper, paths.work]) {
      if (machine.lstat(path) === null) machine.makeDirectory(path, 0o755);
      requireDirectory(machine, store, path);
    }
    recordLowers(machine, store, identities());
  });
  return { store, ...paths };
}

/** Throws BootError if the upper was made on other lowers: overlayfs would show a mixture of both systems. One without a record is taken to belong to these. */
function recordLowers(machine: Machine, store: OpenStore, lowers: readonly LowerIdentity[]): void {
  const { directory, name, node } = store;
  const made = findOther(machine, store, lowers);
  if (made !== null) {
    const present = lowers.map((lower) => printable(lower.name));
    throw problem("store-other-lowers", { store: name, node, made, present });
  }
  if (readLowers(machine, directory) === null) writeLowers(machine, directory, lowers);
}

/** Returns the names of the lowers that the upper was made on, safe to print; null if they are these, or no record names them. */
function findOther(
  machine: Machine,
  { directory }: OpenStore,
  lowers: readonly LowerIdentity[],
): readonly string[] | null {
  const recorded = readLowers(machine, directory);
  const ids = (all: readonly LowerIdentity[]) => all.map(({ id }) => id);
  if (recorded === null || Bun.deepEquals(ids(recorded), ids(lowers))) return null;
  return recorded.slice(0, MOST_NAMES).map(({ name }) => printable(name.slice(0, MOST_CHARACTERS)));
}

function requireDirectory(machine: Machine, { directory, name, node }: OpenStore, path: string): void {
  const kind = machine.lstat(path)?.kind;
  if (kind === "directory") return;
  const isMissing = kind === undefined;
  const why = isMissing ? "it does not exist: nothing was ever changed" : `it is a ${kind}, not a directory`;
  throw problem("store-path", { store: name, node, path: printable(path.slice(directory.length)), why, isMissing });
}

/** Turns what the kernel refuses into the problem that it is for a store. */
export function orStoreProblem(store: OpenStore, act: () => void): void {
  unlessRefused(act, (refusal) => {
    const { name, node } = store;
    const isFull = refusal.code === "ENOSPC" || refusal.code === "EDQUOT";
    if (isFull) throw problem("store-full", { store: name, node, freeBytes: 0, neededBytes: 1024 * 1024 });
    throw problem("store-read-only", { store: name, node, why: describeRefusal(refusal) });
  });
}
