import type { Entry, Layers } from "./layers.ts";
import type { Found } from "./lookup.ts";

/** Returns what of the entry `old` of the branch differs from what should be at its place. */
export function compare(layers: Layers, { top, data }: Found, old: Entry | null): "nothing" | "attributes" | "content" {
  if (old === null || old.marks.isWhiteout || old.status.kind !== top.status.kind) return "content";
  if (isSamePlace(top, old)) return "nothing";
  // The data of such a file is elsewhere.
  if (old.marks.isMetacopy || !hasSameContent(layers, { top, data }, old)) return "content";
  const isSame = haveSameAccess(top, old) && top.status.modifiedNs === old.status.modifiedNs;
  return isSame && haveSameAttributes(top, old) ? "nothing" : "attributes";
}

function isSamePlace({ place: one }: Pick<Entry, "place">, { place: other }: Pick<Entry, "place">): boolean {
  return one.layer === other.layer && one.path === other.path;
}

function hasSameContent(layers: Layers, { top, data }: Pick<Found, "top" | "data">, old: Entry): boolean {
  const { kind, size, represents } = top.status;
  if (kind === "symlink") return layers.readLink(data) === layers.readLink(old.place);
  if (kind !== "file") return represents === old.status.represents;
  if (isSamePlace({ place: data }, old)) return true;
  // Equal times prove nothing: a program that writes through mmap(2) changes none of a file on a tmpfs.
  return size === old.status.size && layers.hasSameContent(data, old.place);
}

/** Returns true if owner and permissions are the same. */
export function haveSameAccess({ status: one }: Entry, { status: other }: Entry): boolean {
  const isSameOwner = one.userId === other.userId && one.groupId === other.groupId;
  return isSameOwner && (one.kind === "symlink" || one.mode === other.mode);
}

/** Returns true if the extended attributes, without overlayfs' own, are the same. */
export function haveSameAttributes({ attributes: one }: Entry, { attributes: other }: Entry): boolean {
  if (one.size !== other.size) return false;
  if (one.size === 0) return true;
  return [...one].every(([name, value]) => {
    const theirs = other.get(name);
    return theirs !== undefined && Buffer.from(value).equals(theirs);
  });
}
