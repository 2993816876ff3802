import { normalisePath, parser } from "./parse.ts";
import { isSize, readFlag } from "./values.ts";

/** An empty tmpfs over a directory of the root (rd.tmpfs=). */
export interface TmpfsPlan {
  /** Absolute, without "." and "..". */
  readonly path: string;
  /** As for tmpfs; null for the kernel's default. */
  readonly size: string | null;
}

/** A directory of the root whose changes go to a tmpfs (rd.union=). */
export type UnionPlan = TmpfsPlan;

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

/** rd.union=: a directory, and the size of its tmpfs. */
export const union = parser(
  "PATH[:size=SIZE], a directory outside /dev, /proc, /run and /sys",
  (text): UnionPlan | null => {
    const found = readPlace(text);
    return found === null || isMoved(found.path) ? null : found;
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
  return path === null || (size !== null && !isSize(size)) ? null : { path, size };
}
