import { findMountOf, type MountEntry, readMounts, unescapeOctal } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import type { SyncOrder } from "./sync.ts";

/** The boot mounts the places on disks that keep changes at paths that begin with this, and nothing else. */
const STORES = "/run/levain/store";

/** An overlay that has a layer on a disk for changes. */
export interface StoredOverlay {
  /** Where it is mounted. */
  readonly path: string;
  /** The directory of that layer. */
  readonly branch: string;
  /** The layers above and below it; null if it is the upper itself, so that all changes are there already. */
  readonly layers: Pick<SyncOrder, "upper" | "lowers"> | null;
}

/**
 * Returns the overlays whose changes are kept. The kernel's list of mounts decides, not the record of the boot: it says how they are
 * stacked now. Which of their layers is such a place is decided by the path at which the boot has mounted it.
 */
export function findStoredOverlays(machine: Machine): readonly StoredOverlay[] {
  const mounts = readMounts(machine);
  const found = mounts.flatMap((mount) => describeOverlay(mounts, mount) ?? []);
  const isFirst = ({ branch }: StoredOverlay, index: number) =>
    found.findIndex((one) => one.branch === branch) === index;
  return found.filter(isFirst);
}

function describeOverlay(mounts: readonly MountEntry[], mount: MountEntry): StoredOverlay | null {
  if (mount.type !== "overlay" || mount.root !== "/") return null;
  const { upper, lowers } = readLayers(mount.superOptions);
  const [branch, ...rest] = lowers;
  if (upper === null || branch === undefined) return null;
  const path = mount.target;
  if (isStored(upper)) return { path, branch: upper, layers: null };
  const isInMemory = findMountOf(mounts, upper)?.type === "tmpfs";
  return isInMemory && isStored(branch) ? { path, branch, layers: { upper, lowers: rest } } : null;
}

function isStored(directory: string): boolean {
  return directory.startsWith(STORES);
}

/** Reads the layers of an overlay, the topmost lower first. Linux 6.8 and newer show each in an option of its own, if it was mounted so. */
function readLayers(options: string): { readonly upper: string | null; readonly lowers: readonly string[] } {
  const values = options.split(",").map((option) => {
    const at = option.indexOf("=");
    return [option.slice(0, Math.max(0, at)), unescapeOctal(option.slice(at + 1))] as const;
  });
  const all = (name: string) => values.filter(([key]) => key === name).map(([, value]) => value);
  // A backslash keeps a colon in a path.
  const joined = all("lowerdir").flatMap((value) => value.match(/(?:\\.|[^:\\])+/g) ?? []);
  const plain = (path: string) => path.replaceAll(/\\(.)/g, "$1");
  return { upper: all("upperdir").map(plain)[0] ?? null, lowers: [...joined.map(plain), ...all("lowerdir+")] };
}

/** Returns the overlay that a directory lies in, and its path there; null if it is in none of these. */
export function findOverlayOf(
  machine: Machine,
  overlays: readonly StoredOverlay[],
  directory: string,
): { readonly overlay: StoredOverlay; readonly scope: string } | null {
  const mount = findMountOf(readMounts(machine), directory);
  const overlay = overlays.find(({ path }) => path === mount?.target);
  if (overlay === undefined) return null;
  const inside = directory.slice(overlay.path === "/" ? 1 : overlay.path.length + 1);
  return { overlay, scope: Buffer.from(inside).toString("latin1") };
}
