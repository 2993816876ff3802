import { type Entry, joinPath, type Layers, type MergedDirectory, type Part, type Place } from "./layers.ts";

/** An entry of the merged tree. */
export interface Found {
  /** What decides kind, access and attributes. */
  readonly top: Entry;
  /** The directories that it consists of; empty for anything else. */
  readonly parts: MergedDirectory;
  /** Where the data of a file is. */
  readonly data: Place;
  /** Where the entry, or a part of it, was looked for. */
  readonly searched: readonly Place[];
}

/** Looks up a name in a merged directory as overlayfs does (ovl_lookup() of fs/overlayfs/namei.c); null if nothing is visible. */
export function lookUp(layers: Layers, directory: MergedDirectory, name: string): Found | null {
  const search = { name, path: null as string | null };
  const parts: Part[] = [];
  const searched: Place[] = [];
  let top: Entry | null = null;
  let data: Place | null = null;
  for (let layer = 0; layer < layers.count; layer++) {
    const place = findPlace(directory, layer, search);
    if (place === null) continue;
    searched.push(place);
    const entry = layers.entry(place, place.inFileWhiteouts);
    if (entry === null) continue;
    if (!continues(top, entry)) break;
    top ??= entry;
    data = entry.place;
    const { isOpaque, hasFileWhiteouts, isMetacopy, redirect } = entry.marks;
    const isDirectory = entry.status.kind === "directory";
    if (isDirectory) parts.push({ ...entry.place, hasFileWhiteouts });
    if (isOpaque || !(isDirectory || isMetacopy) || !follow(search, redirect)) break;
  }
  return top === null || data === null ? null : { top, parts, data, searched };
}

interface Search {
  /** In the next directory of the merged one. */
  name: string;
  /** Instead, after an absolute redirect: from the root of the next layer. */
  path: string | null;
}

function findPlace(
  directory: MergedDirectory,
  layer: number,
  { name, path }: Search,
): (Place & { readonly inFileWhiteouts: boolean }) | null {
  if (path !== null) return { layer, path, inFileWhiteouts: false };
  const part = directory.find((one) => one.layer === layer);
  if (part === undefined) return null;
  return { layer, path: joinPath(part.path, name), inFileWhiteouts: part.hasFileWhiteouts };
}

/** True if `entry` is (a lower part of) what was found so far. */
function continues(top: Entry | null, { status, marks }: Entry): boolean {
  if (marks.isWhiteout) return false;
  return top === null || top.status.kind === status.kind;
}

/** Takes a redirect into account; false for one that overlayfs refuses. */
function follow(search: Search, redirect: string | null): boolean {
  if (redirect === null) return true;
  const names = redirect.replace(/^\//, "").split("/");
  if (names.some((name) => name === "" || name === "." || name === "..")) return false;
  if (redirect.startsWith("/")) search.path = names.join("/");
  else if (names.length > 1) return false;
  else if (search.path === null) search.name = redirect;
  else search.path = joinPath(search.path.slice(0, Math.max(0, search.path.lastIndexOf("/"))), redirect);
  return true;
}
