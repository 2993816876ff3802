import { findMountOf, readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { removeTree, type Tree } from "../../machine/trees.ts";
import { isErrno } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import { applyOperations, cleanUp } from "./apply.ts";
import { using } from "./content.ts";
import { type Branch, branchOf, makeStaging, readJournal, removeJournal, writeJournal } from "./journal.ts";
import { createLayers } from "./layers.ts";
import type { Item } from "./operations.ts";
import { planSync, type SyncPlan } from "./plan-sync.ts";
import { splitPlace } from "./settle.ts";
import { type Staged, stagePlan } from "./stage.ts";

/** An overlay with a branch on a disk below its upper. */
export interface SyncOrder {
  readonly upper: string;
  /** The topmost lower layer. */
  readonly branch: string;
  /** The layers below it, the topmost first. */
  readonly lowers: readonly string[];
  /** The directory to bring down, a path in the overlay; "": all of it. */
  readonly scope: string;
}

/** What a sync did, or would do. */
export interface SyncReport {
  readonly changes: readonly SyncPlan["operations"][number][];
  /** Files that changed each time they were copied: the branch has them as they were. */
  readonly unstable: readonly string[];
}

type Operations = SyncPlan["operations"];

const MOST_PASSES = 4;
/** The kernel's clock for files advances every 10 ms at least (CONFIG_HZ=100). */
const CLOCK_TICK_NS = 20_000_000n;
const CLOCK_TICK_MS = 25;
const NOTICE_EVERY_MS = 1000;
const DEFAULT_ACL = "system.posix_acl_default";

/** Returns what a sync would change. Writes nothing. */
export function previewSync(machine: Machine, order: SyncOrder): SyncPlan {
  return withLayers(machine, order, (trees) => planSync(createLayers(trees), order.scope));
}

/** Brings the upper of an overlay down to its branch. Whenever the power fails, each file is the old one or the new one after the next boot. Throws BootError. */
export function syncBranch(machine: Machine, order: SyncOrder, voice: Voice): SyncReport {
  const [parent, name] = splitPlace(order.branch);
  // A filesystem that was read-only is clean after this, so that a boot finds the directory even if it does not replay the journal.
  using(openWritable(machine, parent), (tree) => makeStaging(branchOf(tree, name)));
  return using(openWritable(machine, parent), (tree) => {
    if (!tree.lock()) throw problem("sync-locked", { branch: order.branch });
    const branch = branchOf(tree, name);
    const scope = finishEarlier(branch) ? "" : order.scope;
    return withLayers(machine, order, (trees) => syncInPasses({ machine, branch, trees, voice }, scope));
  });
}

/** Opens the directory that a branch is in, writable. Throws BootError. */
export function openWritable(machine: Machine, directory: string): Tree {
  if (lacksJournal(machine, directory)) throw problem("sync-not-writable", { directory, why: "journal" });
  try {
    return machine.openTree(directory, "writable");
  } catch (cause) {
    if (isErrno(cause, "ENOSYS")) throw problem("sync-not-writable", { directory, why: "old-kernel" }, { cause });
    const why = isInImageFile(machine, directory) ? "image-file" : null;
    throw problem("sync-not-writable", { directory, why }, { cause });
  }
}

/** True if ext4 would become writable without its journal, which the next boot would then replay over everything that is written now. Other types refuse. */
function lacksJournal(machine: Machine, directory: string): boolean {
  const options = findMountOf(readMounts(machine), directory)?.superOptions.split(",") ?? [];
  return options.includes("norecovery") || options.includes("noload");
}

/** A second, writable mount of the same image would damage it: the one that is in use keeps what it has read. */
function isInImageFile(machine: Machine, directory: string): boolean {
  return findMountOf(readMounts(machine), directory)?.source.startsWith("/dev/loop") ?? false;
}

function withLayers<T>(machine: Machine, { upper, branch, lowers }: SyncOrder, use: (trees: readonly Tree[]) => T): T {
  const trees: Tree[] = [];
  try {
    for (const directory of [upper, branch, ...lowers]) trees.push(machine.openTree(directory, "as mounted"));
    return use(trees);
  } finally {
    for (const tree of trees) tree.close();
  }
}

/** Finishes an interrupted sync. Returns true if changes of an earlier one wait: the next plan must contain all of them. */
function finishEarlier(branch: Branch): boolean {
  const journal = readJournal(branch);
  if (journal === null) return false;
  if (journal !== "damaged" && journal.waits) return true;
  if (journal !== "damaged") applyOperations(branch, journal);
  branch.tree.sync();
  removeJournal(branch);
  return false;
}

interface Job {
  readonly machine: Machine;
  readonly branch: Branch;
  readonly trees: readonly Tree[];
  readonly voice: Voice;
}

/** Syncs until no file has changed while it was copied. */
function syncInPasses(job: Job, scope: string): SyncReport {
  const changes: Operations[number][] = [];
  for (let pass = 1; ; pass++) {
    const plan = planSync(createLayers(job.trees), scope);
    const { done, left } = carryOut(job, plan);
    changes.push(...done);
    if (left.length === 0 || pass === MOST_PASSES) return { changes, unstable: left };
  }
}

/** Prepares everything beside the branch, notes it in the journal, then changes the branch. */
function carryOut(job: Job, plan: SyncPlan): { done: Operations; left: readonly string[] } {
  const { branch } = job;
  const { tree, staging } = branch;
  makeStaging(branch);
  const names = tree.list(staging).filter((name) => name.startsWith("items-"));
  const directory = `items-${Math.max(0, ...names.map((name) => Number(name.slice("items-".length)))) + 1}`;
  makeItems(tree, `${staging}/${directory}`);
  const { operations, left } = prepare(job, plan, `${staging}/${directory}`);
  const commit = (some: Operations, waits: boolean) => {
    const operations = some.map(({ operation }) => operation);
    if (some.length > 0) writeJournal(branch, { items: directory, waits, count: some.length, operations });
    else removeJournal(branch);
  };
  const later = operations.filter(({ isLater }) => isLater);
  commit(operations, later.length === operations.length);
  const now = operations.flatMap(({ isLater, operation }) => (isLater ? [] : operation));
  applyOperations(branch, { items: directory, operations: now });
  tree.sync();
  if (operations.length > 0) commit(later, true);
  cleanUp(branch, later.length > 0 ? directory : null);
  return { done: plan.operations.filter(({ operation: { path } }) => !left.has(path)), left: [...left] };
}

/** Makes the directory of the items. It inherits the default ACL (acl(5)) of the directory that the branch is in, and every copy would inherit it in turn. */
function makeItems(tree: Tree, path: string): void {
  tree.makeDirectory(path);
  if (tree.attributes(path).has(DEFAULT_ACL)) tree.removeAttribute(path, DEFAULT_ACL);
}

function prepare(job: Job, plan: SyncPlan, directory: string): Staged {
  const { branch, trees } = job;
  const { tree } = branch;
  waitForClock(job, plan.items, `${directory}/clock`);
  const total = plan.items.reduce((sum, item) => sum + (item.kind === "copy" ? item.top.status.size : 0), 0);
  try {
    return stagePlan(
      { trees, target: tree, branch: branch.directory, items: directory, onProgress: createProgress(job, total) },
      plan,
    );
  } catch (cause) {
    const freeBytes = tree.freeBytes();
    removeTree(tree, directory);
    if (!isErrno(cause, "ENOSPC", "EDQUOT")) throw cause;
    throw problem("sync-no-space", { bytes: total, freeBytes }, { cause });
  }
}

/** Waits until a further change of any of these files is sure to get another time. */
function waitForClock({ machine, branch: { tree } }: Job, items: readonly Item[], probe: string): void {
  const times = items.flatMap((item) => (item.kind === "copy" ? item.top.status.changedNs : []));
  if (times.length === 0) return;
  tree.createFile(probe).finish(0);
  const now = tree.status(probe)?.changedNs ?? 0n;
  tree.remove(probe);
  if (times.some((time) => time > now - CLOCK_TICK_NS)) machine.sleepMs(CLOCK_TICK_MS);
}

function createProgress({ machine, voice }: Job, total: number): (bytes: number) => void {
  let nextMs = machine.nowMs() + NOTICE_EVERY_MS;
  let done = 0;
  return (bytes) => {
    done += bytes;
    if (machine.nowMs() < nextMs) return;
    nextMs = machine.nowMs() + NOTICE_EVERY_MS;
    voice.progress(`copying ${formatBytes(done)} of ${formatBytes(total)}`);
  };
}
