import { BootError } from "../../problems/errors.ts";
import type { ImageEntry } from "./tree.ts";

/** The name of the last entry of an archive. */
export const TRAILER = "TRAILER!!!";

/** The largest number in a field of a newc header: eight hex digits. */
export const FIELD_MAX = 0xffffffff;

/** Bytes of a path with its NUL (linux/limits.h). init/initramfs.c silently skips longer names and symlink targets. */
export const PATH_MAX = 4096;
/** Bytes of one name in a path (linux/limits.h). */
export const NAME_MAX = 255;
// A dev_t of the kernel has 12 bits for the major and 20 for the minor number (linux/kdev_t.h).
const MAJOR_MAX = 0xfff;
const MINOR_MAX = 0xfffff;

/** Throws BootError if `entry` exceeds a limit of the newc format or of the kernel that unpacks it. */
export function checkLimits(entry: ImageEntry): void {
  const reason = findFault(entry);
  if (reason === null) return;
  const shown = entry.path.length > 80 ? `${entry.path.slice(0, 80)}…` : entry.path;
  throw new BootError(`an initramfs cannot contain ${shown}: ${reason}`, { hint: "leave it out of the image" });
}

function findFault(entry: ImageEntry): string | null {
  const name = entry.path.slice(1);
  if (name === TRAILER) return "its name marks the end of a cpio archive";
  if (Buffer.byteLength(name) >= PATH_MAX) return `its path is longer than ${PATH_MAX - 1} bytes`;
  if (name.split("/").some((part) => Buffer.byteLength(part) > NAME_MAX)) {
    return `a name in its path is longer than ${NAME_MAX} bytes`;
  }
  if (entry.kind === "symlink" && entry.target === "") return "the target of the symlink is empty";
  if (entry.kind === "symlink" && Buffer.byteLength(entry.target) >= PATH_MAX) {
    return `the target of the symlink is longer than ${PATH_MAX - 1} bytes`;
  }
  if (entry.kind === "file" && entry.content.size > FIELD_MAX) return "a file must be smaller than 4 GiB";
  const isNode = entry.kind === "block" || entry.kind === "character";
  if (isNode && (entry.major > MAJOR_MAX || entry.minor > MINOR_MAX)) {
    return `the kernel has no device number ${entry.major}:${entry.minor}`;
  }
  return null;
}
