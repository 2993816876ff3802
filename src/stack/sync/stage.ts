import type { EntryStatus, Tree } from "../../machine/trees.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { copyContent, using } from "./content.ts";
import type { Entry } from "./layers.ts";
import { accessOf, type Item } from "./operations.ts";

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

/** Prepares items, each complete with its attributes. Returns the numbers of those that could not be prepared, because their files have changed since they were planned. */
export function stageItems(workplace: Workplace, items: readonly Item[]): ReadonlySet<number> {
  const changed = new Set<number>();
  const { target, branch } = workplace;
  for (const [number, item] of items.entries()) {
    const path = `${workplace.items}/${number}`;
    if (item.kind === "whiteout") target.makeNode(path, "character", "0:0");
    else if (item.kind === "kept") target.link(`${branch}/${item.path}`, path);
    else if (item.kind === "link" && !changed.has(item.item)) target.link(`${workplace.items}/${item.item}`, path);
    else if (item.kind === "link" || !stageCopy(workplace, item, path)) changed.add(number);
  }
  return changed;
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
