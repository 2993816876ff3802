import { compare } from "./compare.ts";
import { BRANCH, type Entry, type Layers } from "./layers.ts";
import type { Found } from "./lookup.ts";
import { accessOf, divideAttributes, type Item, type Operation } from "./operations.ts";

/** A place of the branch where a file, link or node should be, and what is there. */
export interface FileTarget {
  readonly path: string;
  readonly found: Found;
  readonly old: Entry | null;
}

/** Decides what is done for each file; several names of one file stay one. `addItem` returns the number of the item. */
export function planFiles(
  layers: Layers,
  targets: readonly FileTarget[],
  addItem: (item: Item) => number,
): ReadonlyMap<FileTarget, readonly Operation[]> {
  const groups = Map.groupBy(targets, (target) => keyOf(target.found.top) ?? target);
  const planned = new Map<FileTarget, readonly Operation[]>();
  for (const group of groups.values()) {
    const [first, ...others] = group;
    if (first === undefined) continue;
    const operations = others.length === 0 ? planOne(layers, first, addItem) : planGroup(layers, group, addItem);
    for (const [index, target] of group.entries()) planned.set(target, operations[index] ?? []);
  }
  return planned;
}

/** Returns what names of the same file have in common; null for a file with one name. */
function keyOf({ place, status }: Entry): string | null {
  return status.links > 1 ? `${place.layer}:${status.inode}` : null;
}

function planOne(layers: Layers, { path, found, old }: FileTarget, addItem: (item: Item) => number): Operation[][] {
  const difference = compare(layers, found, old);
  if (difference === "nothing") return [];
  const { status, attributes } = found.top;
  // The branch's file may have other names, which keep their attributes.
  if (difference === "attributes" && old?.status.links === 1) {
    const modified = String(status.modifiedNs);
    const { first, more } = divideAttributes(path, attributes);
    const access = accessOf(status);
    return [[{ kind: "attributes", path, ...access, attributes: first, modified }, ...more]];
  }
  return [[{ kind: "place", path, item: addItem(itemOf(found)) }]];
}

/** A file of the branch that gets another name stays one file with its other names. */
function itemOf({ top, data }: Found): Item {
  const isKept = top.place.layer === BRANCH && !top.marks.isMetacopy;
  return isKept ? { kind: "kept", path: top.place.path } : { kind: "copy", top, data };
}

function planGroup(layers: Layers, group: readonly FileTarget[], addItem: (item: Item) => number): Operation[][] {
  const inodes = new Set(group.map(({ old }) => old?.status.inode));
  if (inodes.size === 1 && group.every(({ found, old }) => compare(layers, found, old) === "nothing")) return [];
  let first: number | null = null;
  return group.map(({ path, found }) => {
    const own = itemOf(found);
    const item: number = addItem(first === null || own.kind === "kept" ? own : { kind: "link", item: first });
    first ??= item;
    return [{ kind: "place", path, item }];
  });
}
