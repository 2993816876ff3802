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

/** A filesystem as a line of fstab(5) describes it. */
export interface ExtraMount {
  readonly source: string;
  /** In the root. */
  readonly target: string;
  readonly type: string;
  readonly options: string;
  readonly isChecked: boolean;
}

/** rd.mount=: the fields of a line of fstab(5). */
export const extraMount = parser("WHAT:PATH[:TYPE[:OPTIONS]], a place in the root", (text): ExtraMount | null => {
  const [source = "", target = "", type = "", options = "", ...rest] = text.split(":");
  const isPlace = target.startsWith("/") && normalisePath(target) !== null;
  if (source === "" || !isPlace || rest.length > 0) return null;
  return { source, target, type: type || "auto", options: options || "defaults", isChecked: true };
});

const OF_ROOT = "/sysroot";

/** True if rd.systemd.mount-extra= names a place that is not in the root, which systemd mounts in the initramfs. */
export function isOutsideRoot(value: string | null): boolean {
  return value?.split(":")[1]?.startsWith(`${OF_ROOT}/`) !== true;
}

/** Translates rd.systemd.mount-extra= of systemd-fstab-generator(8): in an initramfs, the root is at /sysroot. */
export function extraOfInitramfs(value: string | null): string | undefined {
  if (value === null || isOutsideRoot(value)) return undefined;
  const inRoot = (path: string) => (path.startsWith(`${OF_ROOT}/`) ? path.slice(OF_ROOT.length) : path);
  const [what = "", where = "", ...rest] = value.split(":");
  return [inRoot(what), inRoot(where), ...rest].join(":");
}

/** Translates systemd.mount-extra=, which the real system reads too: its paths are those of the root, and it counts where a line of /etc/fstab would. */
export function extraOfSystem(value: string | null): string | undefined {
  const [, where, , options = ""] = value?.split(":") ?? [];
  const isNeeded = where === "/usr" || options.split(",").includes("x-initrd.mount");
  return isNeeded && value !== null ? value : undefined;
}

/** A comma or a backslash would be another option of the overlay. */
function readPlace(text: string): TmpfsPlan | null {
  const [, written = "", size = null] = /^([^:,\\]+)(?::size=(.*))?$/s.exec(text) ?? [];
  const path = written.startsWith("/") ? normalisePath(written) : null;
  return path === null || (size !== null && !SIZE.test(size)) ? null : { path, size };
}
