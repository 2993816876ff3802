import { problem } from "../../problems/problem.ts";
import { haveSameAccess, haveSameAttributes } from "./compare.ts";
import { delay, type PlannedOperation } from "./delay.ts";
import { BRANCH, type Entry, joinPath, type Layers, type MergedDirectory, type Place, parentOf } from "./layers.ts";
import { type Found, lookUp } from "./lookup.ts";
import { accessOf, divideAttributes, type Item, type Operation } from "./operations.ts";
import { type FileTarget, planFiles } from "./plan-files.ts";

/** How a branch becomes what the overlay shows. */
export interface SyncPlan {
  readonly items: readonly Item[];
  /** In this order. `isLater`: not while the overlay is mounted, because one of its redirects leads there. */
  readonly operations: readonly PlannedOperation[];
}

/** A change, or what is decided when all changes are known: a file may have several names, and each change in a directory changes its time. */
type Step =
  | { readonly operation: Operation }
  | { readonly whiteout: string }
  | { readonly file: FileTarget }
  | { readonly time: string; readonly modified: bigint; readonly differs: boolean };

interface Walk {
  readonly layers: Layers;
  readonly scope: string;
  readonly steps: Step[];
  /** What is to be done, the next one last: a tree may have more levels than the stack has room for. */
  readonly agenda: (() => void)[];
  /** Paths of the branch where the overlay looks for what has another name above. */
  readonly sources: Set<string>;
}

/** A directory of the merged tree. */
interface Directory {
  readonly path: string;
  readonly merged: MergedDirectory;
  /** The same without the upper: what the branch shows now. */
  readonly under: MergedDirectory;
  /** The branch gets every entry, and hides the layers below it. Otherwise only what the upper has. */
  readonly isComplete: boolean;
  readonly old: Entry | null;
}

/**
 * Decides which changes of the branch (layer 1) make the layers from it on show what all layers show: nothing is written. `scope`
 * is the directory below which that should be so; "" for the whole tree.
 */
export function planSync(layers: Layers, scope: string): SyncPlan {
  const walk: Walk = { layers, scope, steps: [], agenda: [], sources: new Set() };
  const merged = Array.from({ length: layers.count }, (_, layer) => ({ layer, path: "", hasFileWhiteouts: false }));
  const place = { layer: BRANCH, path: "" };
  const [top, old] = [layers.entry({ layer: 0, path: "" }, false), layers.entry(place, false)];
  if (top === null || old === null) return { items: [], operations: [] };
  const root = { path: "", merged: withMarks(layers, merged), under: withMarks(layers, merged.slice(1)), old };
  if (!haveSameAccess(top, old) || !haveSameAttributes(top, old)) addDirectory(walk, "", top, false);
  planDirectory(walk, { ...root, isComplete: false }, top);
  for (let next = walk.agenda.pop(); next !== undefined; next = walk.agenda.pop()) next();
  return finish(walk);
}

/** The root of a layer may have files as whiteouts too. */
function withMarks(layers: Layers, parts: MergedDirectory): MergedDirectory {
  const hasFileWhiteouts = (part: Place) => layers.entry(part, false)?.marks.hasFileWhiteouts ?? false;
  return parts.map((part) => ({ ...part, hasFileWhiteouts: hasFileWhiteouts(part) }));
}

/** A user may make directories without end, and the plan has the path of each. */
const MOST_PATH_BYTES = 16 << 10;

function planDirectory(walk: Walk, directory: Directory, top: Entry): void {
  const { path, old } = directory;
  if (path.length > MOST_PATH_BYTES) throw problem("sync-too-deep", { path, bytes: MOST_PATH_BYTES });
  const names = namesIn(walk, directory).filter((name) => leadsToScope(walk, directory, joinPath(path, name)));
  const modified = top.status.modifiedNs;
  walk.agenda.push(
    () => void walk.steps.push({ time: path, modified, differs: old?.status.modifiedNs !== modified }),
    ...names
      .sort()
      .reverse()
      .map((name) => () => planEntry(walk, directory, name)),
  );
}

/** Returns the names to decide on: not those of files that the branch has as the upper shows them. */
function namesIn(walk: Walk, directory: Directory): readonly string[] {
  const { layers } = walk;
  const { path, merged, isComplete, old } = directory;
  const top = merged[0] ?? { layer: 0, path };
  const difference = old !== null && isSimple(walk, directory, old) ? layers.compare(top, old.place) : null;
  const names = difference?.names ?? layers.list(top);
  if (!isComplete || (merged.length === 1 && difference?.hasMore === false)) return names;
  const others: readonly Place[] = old === null ? merged : [...merged, { layer: BRANCH, path }];
  const same = new Set(difference === null ? [] : layers.list(top)).difference(new Set(names));
  return [...new Set([...names, ...others.flatMap((part) => layers.list(part))]).difference(same)];
}

/** True if a file of the directory that is the same in the upper and in the branch needs no decision. */
function isSimple(walk: Walk, directory: Directory, old: Entry): boolean {
  const [top] = directory.merged;
  const hasWhiteouts = top?.hasFileWhiteouts === true || old.marks.hasFileWhiteouts;
  return top?.layer === 0 && !hasWhiteouts && isInScope(walk, directory, directory.path);
}

function isInScope({ scope }: Walk, { isComplete }: Directory, path: string): boolean {
  return isComplete || scope === "" || path === scope || path.startsWith(`${scope}/`);
}

function leadsToScope(walk: Walk, directory: Directory, path: string): boolean {
  return isInScope(walk, directory, path) || walk.scope.startsWith(`${path}/`);
}

function planEntry(walk: Walk, directory: Directory, name: string): void {
  const { layers } = walk;
  const path = joinPath(directory.path, name);
  const found = lookUp(layers, directory.merged, name);
  const above = directory.old?.marks;
  const old = above === undefined ? null : layers.entry({ layer: BRANCH, path }, above.hasFileWhiteouts);
  if (found === null) {
    planAbsence(walk, directory, { name, path, old });
    return;
  }
  for (const place of found.searched) {
    if (place.layer === BRANCH && place.path !== path) walk.sources.add(place.path);
  }
  if (found.top.status.kind === "directory") planSubdirectory(walk, directory, { name, path, old, found });
  else walk.steps.push({ file: { path, found, old } });
}

type Target = Readonly<{ name: string; path: string; old: Entry | null }>;

function planAbsence(walk: Walk, { under, isComplete }: Directory, { name, path, old }: Target): void {
  const below = under.filter(({ layer }) => layer > BRANCH);
  const isHidden = !isComplete && lookUp(walk.layers, below, name) !== null;
  if (isHidden && old?.marks.isWhiteout !== true) walk.steps.push({ whiteout: path });
  else if (!isHidden && old !== null) add(walk, { kind: "remove", path });
}

function planSubdirectory(walk: Walk, parent: Directory, { name, path, old, found }: Target & { found: Found }): void {
  const { top, parts } = found;
  const lower = parent.isComplete ? null : lookUp(walk.layers, parent.under, name);
  const isMerged =
    !parent.isComplete &&
    !top.marks.isOpaque &&
    top.marks.redirect === null &&
    [old, lower?.top].every((entry) => entry == null || entry.status.kind === "directory");
  const isOpaque = !isMerged && !parent.isComplete;
  const kept = old?.status.kind === "directory" ? old : null;
  // A redirect of the branch would show other directories below a complete one.
  const hasMarks = kept !== null && (!isOpaque || kept.marks.isOpaque) && (isMerged || kept.marks.redirect === null);
  if (kept === null || !hasMarks || !haveSameAccess(top, kept) || !haveSameAttributes(top, kept)) {
    addDirectory(walk, path, top, !isMerged);
  }
  const under = isMerged ? (lower?.parts ?? []) : [];
  planDirectory(walk, { path, merged: parts, under, isComplete: !isMerged, old: kept }, top);
}

function addDirectory(walk: Walk, path: string, { status, attributes }: Entry, isOpaque: boolean): void {
  const { first, more } = divideAttributes(path, attributes);
  add(walk, { kind: "directory", path, ...accessOf(status), attributes: first, isOpaque });
  walk.steps.push(...more.map((operation) => ({ operation })));
}

function add({ steps }: Walk, operation: Operation): void {
  steps.push({ operation });
}

/** Decides on the files and times, and which changes have to wait. */
function finish({ layers, steps, sources }: Walk): SyncPlan {
  const items: Item[] = [];
  const addItem = (item: Item) => items.push(item) - 1;
  const targets = steps.flatMap((step) => ("file" in step ? step.file : []));
  const files = planFiles(layers, targets, addItem);
  const changed = new Set<string>();
  const decide = (step: Step): readonly Operation[] => {
    if ("operation" in step) return [step.operation];
    if ("file" in step) return files.get(step.file) ?? [];
    if ("whiteout" in step) return [{ kind: "place", path: step.whiteout, item: addItem({ kind: "whiteout" }) }];
    const { time: path, modified, differs } = step;
    return differs || changed.has(path) ? [{ kind: "time", path, modified: String(modified) }] : [];
  };
  // The time of a directory comes after everything in it.
  const operations = steps.flatMap((step) => {
    const decided = decide(step);
    for (const { path } of decided) if (path !== "") changed.add(parentOf(path));
    return decided;
  });
  return { items, operations: delay(operations, [...sources]) };
}
