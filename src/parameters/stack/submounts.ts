import { normalisePath, parser } from "../parse.ts";
import { readFlag, SIZE } from "../values.ts";
import { parseStoreSpec, STORE_FORM, type StoreSpec } from "./store-spec.ts";

/** An empty tmpfs over a directory of the root (rd.tmpfs=). */
export interface TmpfsPlan {
  /** Absolute, without "." and "..". */
  readonly path: string;
  /** As for tmpfs; null for the kernel's default. */
  readonly size: string | null;
}

/** A directory of the root whose changes go to a tmpfs (rd.union=), and the place on a disk with those of earlier boots. */
export interface UnionSetting extends TmpfsPlan {
  readonly store: StoreSpec | null;
}

/** Directories that are filesystems of their own before the root is there, and move into it. */
const MOVED = /^\/(?:dev|proc|run|sys)(?:\/|$)/;

/** True for a path at or below a filesystem that moves into the new root: what is mounted there in the root would be covered. */
export function isMoved(path: string): boolean {
  return MOVED.test(path);
}

/** rd.tmpfs=: a directory, and the size of its tmpfs. /run is a tmpfs already and takes a size. */
export const tmpfs = parser("PATH[:size=SIZE], a directory outside /dev, /proc and /sys", (text): TmpfsPlan | null => {
  const found = readPlace(text);
  return found === null || (isMoved(found.path) && found.path !== "/run") ? null : found;
});

/** rd.union=: a directory, the size of its tmpfs, and the place between the two. */
export const union = parser(
  `PATH[:size=SIZE][:${STORE_FORM}], a directory outside /dev, /proc, /run and /sys`,
  (text): UnionSetting | null => {
    const [, place = "", form = null] = /^([^:]*(?::size=[^:]*)?)(?::(.*))?$/s.exec(text) ?? [];
    const found = readPlace(place);
    if (found === null || isMoved(found.path)) return null;
    // "30" is a size that lacks its name, not the device 0:48.
    const store = form === null || /^\d+$/.test(form) ? null : parseStoreSpec(form);
    // dracut's "auto" is the name of a whole root's changes.
    return (form !== null && store === null) || store?.path === "auto" ? null : { ...found, store };
  },
);

/** systemd.volatile=: true for a root in memory; "state" and "overlay" are aliases of other parameters. */
export const volatileRoot = parser(
  "yes, no, state or overlay",
  (text) => (text === "state" || text === "overlay" ? false : readFlag(text)),
  ["yes", "no", "state", "overlay"],
);

/** A comma or a backslash would be another option of the overlay. */
function readPlace(text: string): TmpfsPlan | null {
  const [, written = "", size = null] = /^([^:,\\]+)(?::size=(.*))?$/s.exec(text) ?? [];
  const path = written.startsWith("/") ? normalisePath(written) : null;
  return path === null || (size !== null && !SIZE.test(size)) ? null : { path, size };
}
