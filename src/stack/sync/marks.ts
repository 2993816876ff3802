import type { EntryStatus } from "../../machine/trees.ts";

/** The prefix of overlayfs' own attributes, without its mount option userxattr. */
const PREFIX = "trusted.overlay.";

/** What overlayfs has noted on an entry of a layer (Documentation/filesystems/overlayfs.rst). */
export interface Marks {
  /** The entry hides what has its name in lower layers, and is nothing itself. */
  readonly isWhiteout: boolean;
  /** The directory is not merged with lower ones. */
  readonly isOpaque: boolean;
  /** Files with an attribute are whiteouts in this directory. */
  readonly hasFileWhiteouts: boolean;
  /** The name in lower layers: a path from their root if it begins with "/". null: its own. */
  readonly redirect: string | null;
  /** The file has attributes only: its data is in a lower layer. */
  readonly isMetacopy: boolean;
}

/** The attributes of `isOpaque` and `redirect`. */
export const OPAQUE = `${PREFIX}opaque`;
export const REDIRECT = `${PREFIX}redirect`;
const METACOPY = `${PREFIX}metacopy`;
const WHITEOUT = `${PREFIX}whiteout`;

/** True for an attribute of overlayfs itself. Those of an overlay inside the overlay ("trusted.overlay.overlay.") are content. */
export function isMark(name: string): boolean {
  return name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}overlay.`);
}

/** Reads the marks of an entry. `inFileWhiteouts`: its directory has `hasFileWhiteouts`. */
export function readMarks(
  { kind, size, represents }: EntryStatus,
  attributes: ReadonlyMap<string, Uint8Array>,
  inFileWhiteouts: boolean,
): Marks {
  const text = (name: string) => {
    const value = attributes.get(name);
    return value === undefined ? null : Buffer.from(value).toString("latin1");
  };
  const isFileWhiteout = inFileWhiteouts && kind === "file" && size === 0 && text(WHITEOUT) !== null;
  const opaque = kind === "directory" ? text(OPAQUE) : null;
  return {
    isWhiteout: (kind === "character" && represents === "0:0") || isFileWhiteout,
    isOpaque: opaque === "y",
    hasFileWhiteouts: opaque === "x",
    redirect: text(REDIRECT)?.replace(/\0$/, "") ?? null,
    isMetacopy: kind === "file" && text(METACOPY) !== null,
  };
}

/** Returns the attributes without overlayfs' own. */
export function withoutMarks(attributes: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  if (![...attributes.keys()].some(isMark)) return attributes;
  return new Map([...attributes].filter(([name]) => !isMark(name)));
}
