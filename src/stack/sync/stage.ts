import type { EntryStatus, Tree } from "../../machine/trees.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { applyOperation } from "./apply.ts";
import { copyContent, using } from "./content.ts";
import type { PlannedOperation } from "./delay.ts";
import { type Entry, joinPath } from "./layers.ts";
import { accessOf, type Item, type Operation } from "./operations.ts";
import type { SyncPlan } from "./plan-sync.ts";

/** The copies are made here. */
interface Workplace {
  readonly trees: readonly Tree[];
  readonly target: Tree;
  /** The directory of the branch in the target. */
  readonly branch: string;
  /** The directory of the items. */
  readonly items: string;
  readonly onProgress: (bytes: number) => void;
}

/** What is prepared for a plan. */
export interface Staged {
  /** What remains to be done with the branch. */
  readonly operations: readonly PlannedOperation[];
  /** The paths of files that could not be prepared, because they have changed since they were planned. */
  readonly left: ReadonlySet<string>;
}

/** Prepares items, each complete with its attributes, and directories that the branch does not have, with everything in them. */
export function stagePlan(workplace: Workplace, plan: SyncPlan): Staged {
  const { remaining, additions } = divide(workplace, plan);
  const left = new Set<string>();
  const places = new Map<number, string>();
  for (const { operation } of plan.operations) {
    const inside = additions.get(operation);
    if (operation.kind === "place") {
      const place = inside ?? `${workplace.items}/${operation.item}`;
      if (stageItem(workplace, places, plan.items[operation.item] as Item, place)) places.set(operation.item, place);
      else left.add(operation.path);
    } else if (operation.kind === "directory" && inside !== undefined) workplace.target.makeDirectory(inside);
  }
  finishDirectories(workplace.target, additions);
  return { operations: remaining.filter(({ operation: { path } }) => !left.has(path)), left };
}

/** Gives new directories their attributes when everything is in them: entries made later would inherit a default ACL (acl(5)), which the originals need not have. */
function finishDirectories(tree: Tree, additions: ReadonlyMap<Operation, string>): void {
  for (const [operation, at] of additions) applyOperation({ tree, at }, operation);
}

interface Divided {
  /** One rename brings a new directory with everything in it. */
  readonly remaining: readonly PlannedOperation[];
  /** Operations in such directories, with the paths of their entries while they are prepared. */
  readonly additions: ReadonlyMap<Operation, string>;
}

function divide(workplace: Workplace, { items, operations }: SyncPlan): Divided {
  const remaining: PlannedOperation[] = [];
  const additions = new Map<Operation, string>();
  let added: { readonly path: string; readonly at: string } | null = null;
  for (const planned of operations) {
    const { operation, isLater } = planned;
    const { path } = operation;
    if (added !== null && path !== added.path && !path.startsWith(`${added.path}/`)) added = null;
    if (added === null && isNewDirectory(workplace, operation)) {
      const item = items.length + remaining.length;
      added = { path, at: `${workplace.items}/${item}` };
      remaining.push({ operation: { kind: "place", path, item }, isLater });
    } else if (added === null) remaining.push(planned);
    if (added !== null) additions.set(operation, added.at + path.slice(added.path.length));
  }
  return { remaining, additions };
}

function isNewDirectory({ target, branch }: Workplace, { kind, path }: Operation): boolean {
  return kind === "directory" && target.status(joinPath(branch, path)) === null;
}

/** `places`: where other items are. Returns false if the file has changed. */
function stageItem(workplace: Workplace, places: ReadonlyMap<number, string>, item: Item, path: string): boolean {
  const { target, branch } = workplace;
  if (item.kind === "copy") return stageCopy(workplace, item, path);
  if (item.kind === "whiteout") target.makeNode(path, "character", "0:0");
  else {
    const other = item.kind === "kept" ? `${branch}/${item.path}` : places.get(item.item);
    if (other === undefined) return false;
    target.link(other, path);
  }
  return true;
}

/** Returns false if the file has changed; nothing is left of its copy then. */
function stageCopy(
  workplace: Workplace,
  { top, data }: Pick<Extract<Item, { kind: "copy" }>, "top" | "data">,
  path: string,
): boolean {
  const { trees, target } = workplace;
  const isUnchanged = unlessRefused(
    () => {
      const isCopied = copySimple(workplace, { top, data }, path);
      if (isCopied !== null) return isCopied;
      const isWhole = makeCopy(workplace, { top, data }, path);
      return isWhole && isSame(top.status, trees[top.place.layer]?.status(top.place.path) ?? null);
    },
    () => false,
    // It has disappeared, or something else has its name.
    ...["ENOENT", "ENOTDIR", "ELOOP", "EINVAL"],
  );
  if (!isUnchanged && target.status(path) !== null) target.remove(path);
  return isUnchanged;
}

/** Copies what the kernel can be asked for at once; null if that is not possible. Returns false if the file has changed. */
function copySimple(
  { trees, target, onProgress }: Workplace,
  { top, data }: Pick<Extract<Item, { kind: "copy" }>, "top" | "data">,
  path: string,
): boolean | null {
  const { status, attributes, place } = top;
  const isWhole = place.layer === data.layer && place.path === data.path;
  if (status.kind !== "file" || attributes.size > 0 || !isWhole) return null;
  const isCopied = trees[place.layer]?.copyFile(place.path, status, target, path) ?? null;
  if (isCopied === true) onProgress(status.size);
  return isCopied;
}

/** Returns false if the content has changed meanwhile. */
function makeCopy(
  { trees, target, onProgress }: Workplace,
  { top, data }: Pick<Extract<Item, { kind: "copy" }>, "top" | "data">,
  path: string,
): boolean {
  const { kind, represents } = top.status;
  const source = trees[data.layer] as Tree;
  if (kind === "file") {
    const kept = { access: top.status, attributes: top.attributes, modifiedNs: top.status.modifiedNs };
    return using(source.openFile(data.path), (file) => copyContent(file, target.createFile(path), kept, onProgress));
  }
  if (kind === "symlink") target.makeSymlink(source.readLink(data.path), path);
  else if (kind !== "directory") target.makeNode(path, kind, represents);
  finishCopy(target, path, top);
  return true;
}

/** The owner first: changing it removes capabilities and the set-user-ID bit. The time last. */
function finishCopy(target: Tree, path: string, { status, attributes }: Entry): void {
  target.setAccess(path, accessOf(status));
  for (const [name, value] of attributes) target.setAttribute(path, name, value);
  target.setModified(path, status.modifiedNs);
}

function isSame(planned: EntryStatus, now: EntryStatus | null): boolean {
  return now?.inode === planned.inode && now.changedNs === planned.changedNs && now.size === planned.size;
}
