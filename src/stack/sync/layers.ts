import type { DirectoryDifference, EntryStatus, Tree } from "../../machine/trees.ts";
import { orIfRefused } from "../../problems/errors.ts";
import { haveSameContent } from "./content.ts";
import { type Marks, readMarks, withoutMarks } from "./marks.ts";

/** The branch into which the upper (layer 0) is brought down: the topmost lower layer. */
export const BRANCH = 1;

/** A path in one layer of an overlay. */
export interface Place {
  readonly layer: number;
  readonly path: string;
}

/** A directory of one layer, as a part of a merged directory. */
export interface Part extends Place {
  readonly hasFileWhiteouts: boolean;
}

/** The directories that a merged directory consists of, the topmost first; at most one of each layer. */
export type MergedDirectory = readonly Part[];

/** An entry of one layer. */
export interface Entry {
  readonly place: Place;
  readonly status: EntryStatus;
  /** Without overlayfs' own. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  readonly marks: Marks;
}

/** The layers of an overlay, which are only read. */
export interface Layers {
  readonly count: number;
  /** null if there is none. Whiteouts are entries. */
  entry(place: Place, inFileWhiteouts: boolean): Entry | null;
  list(place: Place): readonly string[];
  /** The target of a symbolic link. */
  readLink(place: Place): string;
  hasSameContent(one: Place, other: Place): boolean;
  /** What differs between two directories; null if each of their entries has to be looked at. */
  compare(one: Place, other: Place): DirectoryDifference | null;
}

/** Reads the layers from their trees, the upper first. An entry that disappears meanwhile is none. */
export function createLayers(trees: readonly Tree[]): Layers {
  const treeOf = ({ layer }: Place) => trees[layer] as Tree;
  return {
    count: trees.length,
    entry(place, inFileWhiteouts) {
      const found = treeOf(place).describe(place.path);
      if (found === null) return null;
      const { status, attributes } = found;
      return {
        place,
        status,
        attributes: withoutMarks(attributes),
        marks: readMarks(status, attributes, inFileWhiteouts),
      };
    },
    list: (place) => orIfRefused(() => treeOf(place).list(place.path), [], "ENOENT", "ENOTDIR", "ELOOP"),
    readLink: (place) => orIfRefused(() => treeOf(place).readLink(place.path), "", "ENOENT", "EINVAL"),
    hasSameContent: (one, other) =>
      orIfRefused(
        () => haveSameContent(treeOf(one), one.path, treeOf(other), other.path),
        false,
        ...["ENOENT", "ENOTDIR", "ELOOP", "EINVAL"], // it has disappeared, or something else has its name
      ),
    compare: (one, other) =>
      orIfRefused(
        () => treeOf(one).compareDirectory(one.path, treeOf(other), other.path),
        null,
        ...["ENOENT", "ENOTDIR", "ELOOP"],
      ),
  };
}

/** Appends a name to a path of a tree. */
export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Returns the directory of a path of a tree. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
