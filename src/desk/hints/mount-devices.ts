import { basename, join } from "node:path";
import { findMountOf, type MountEntry, unescapeOctal } from "../../filesystems/mounts.ts";
import type { SystemFiles } from "./system-files.ts";

/** A filesystem, and the names of its devices in /sys/class/block; none for one in memory or on a server. */
export interface MountedFilesystem {
  readonly path: string;
  readonly type: string;
  readonly options: string;
  readonly devices: readonly string[];
}

/** Overlays lie on overlays, and images in images, but not deeper than this. */
const DEPTH_MAX = 16;

/** Returns the filesystem that is mounted, after those that the directories of an overlay lie on. */
export function findFilesystems(
  files: SystemFiles,
  mounts: readonly MountEntry[],
  mount: MountEntry,
  depth = 0,
): readonly MountedFilesystem[] {
  const directories = mount.type === "overlay" && depth < DEPTH_MAX ? overlayDirectories(mount.superOptions) : [];
  const below = directories.flatMap((directory) => {
    const lower = findMountOf(mounts, directory);
    return lower === null || lower === mount ? [] : findFilesystems(files, mounts, lower, depth + 1);
  });
  const { target: path, type, superOptions: options } = mount;
  const own = { path, type, options, devices: devicesOfMount(files, mount) };
  return [...below, own].filter((one, at, all) => all.findIndex((other) => other.path === one.path) === at);
}

function overlayDirectories(options: string): readonly string[] {
  return options.split(",").flatMap((option) => {
    const [, text = ""] = /^(?:lowerdir\+?|upperdir|datadir\+)=(.*)$/.exec(option) ?? [];
    return text.split(":").flatMap((path) => (path.startsWith("/") ? unescapeOctal(path) : []));
  });
}

/** Returns the mount with the file of a loop device. */
export function mountOfImage(files: SystemFiles, mounts: readonly MountEntry[], device: string): readonly MountEntry[] {
  const file = files.text(join("/sys/class/block", device, "loop/backing_file"));
  return file === "" ? [] : [findMountOf(mounts, file) ?? []].flat();
}

/** Returns the names of the devices of a mount in /sys/class/block. */
export function devicesOfMount(files: SystemFiles, { type, source, device }: MountEntry): readonly string[] {
  if (type === "btrfs") return membersOfBtrfs(files, source);
  const byNumber = files.real(join("/sys/dev/block", device));
  if (byNumber !== null) return [basename(byNumber)];
  // bcachefs joins the paths of its members with colons.
  return source.split(":").flatMap((path) => deviceOfPath(files, path) ?? []);
}

/** /sys/fs/btrfs/UUID/devices has a link for each member. */
function membersOfBtrfs(files: SystemFiles, source: string): readonly string[] {
  const named = deviceOfPath(files, source);
  if (named === null) return [];
  const pools = files.list("/sys/fs/btrfs").map((uuid) => files.list(join("/sys/fs/btrfs", uuid, "devices")));
  return pools.find((members) => members.includes(named)) ?? [named];
}

/** Returns the name of a device in /sys/class/block by its path in /dev; null if it does not exist. */
export function deviceOfPath(files: SystemFiles, path: string): string | null {
  if (!path.startsWith("/dev/")) return null;
  const plain = path.slice("/dev/".length).replaceAll("/", "!");
  if (files.real(join("/sys/class/block", plain)) !== null) return plain;
  const mapped = /^\/dev\/mapper\/(.+)$/.exec(path)?.[1];
  const hasName = (name: string) => files.text(join("/sys/class/block", name, "dm/name")) === mapped;
  const byName = mapped === undefined ? undefined : files.list("/sys/class/block").find(hasName);
  // Links of udev: /dev/disk/by-uuid/…, /dev/GROUP/VOLUME, /dev/md/NAME.
  const real = byName === undefined ? files.real(path) : null;
  if (byName !== undefined || real === null || real === path) return byName ?? null;
  return deviceOfPath(files, real);
}
