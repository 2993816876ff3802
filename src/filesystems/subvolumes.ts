import { untouchedOptions } from "../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../machine/machine.ts";
import { orIfRefused } from "../problems/errors.ts";
import { lookInto } from "./brief-mount.ts";

/** Subvolumes lie near the top; deeper ones are snapshots of them. */
const MOST_LEVELS = 3;
/** Entries that are looked at: a root at the top has thousands. */
const MOST_ENTRIES = 400;
const MOST_FOUND = 24;

/**
 * Lists the subvolumes of a btrfs that `isWanted` accepts, by their paths from its top, as subvol= takes them. It mounts the top
 * read-only and without a replay, for a moment; empty if that is refused.
 */
export function listSubvolumes(
  machine: Machine,
  node: string,
  isWanted: (directory: string) => boolean = () => true,
): readonly string[] {
  const mount = { source: node, type: "btrfs", options: untouchedOptions("btrfs", "subvolid=5") ?? "" };
  return orIfRefused(() => lookInto(machine, mount, (top) => walk(machine, top, isWanted)), []);
}

/** Breadth first. The files of each subvolume have a device number of their own (btrfs_getattr of fs/btrfs/inode.c). */
function walk(machine: Machine, top: string, isWanted: (directory: string) => boolean): readonly string[] {
  const found: string[] = [];
  const queue = [{ path: "", depth: 0, device: machine.lstat(top)?.device ?? "" }];
  let left = MOST_ENTRIES;
  for (const { path, depth, device } of queue) {
    const names = machine.listDirectory(`${top}${path}`).slice(0, left);
    left -= names.length;
    for (const name of names) {
      const inner = `${path}/${name}`;
      const status = machine.lstat(`${top}${inner}`);
      if (status?.kind !== "directory") continue;
      if (depth + 1 < MOST_LEVELS) queue.push({ path: inner, depth: depth + 1, device: status.device });
      if (status.device !== device && isWanted(`${top}${inner}`)) found.push(inner.slice(1));
    }
  }
  return found.slice(0, MOST_FOUND);
}
