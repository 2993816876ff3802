import { BootError } from "../../problems/errors.ts";
import type { ImageEntry } from "./tree.ts";

/** The name of the entry that ends an archive. */
export const TRAILER = "TRAILER!!!";

/** The largest number that a field of a newc header holds: eight hex digits. */
export const FIELD_MAX = 0xffffffff;

// init/initramfs.c passes silently over names and symlink targets that do not fit PATH_MAX with their NUL, and the
// file system refuses parts longer than NAME_MAX (linux/limits.h).
const PATH_MAX = 4096;
const NAME_MAX = 255;
// A dev_t of the kernel has 12 bits for the major and 20 for the minor number (linux/kdev_t.h).
const MAJOR_MAX = 0xfff;
const MINOR_MAX = 0xfffff;

/** Throws BootError where the newc format or the kernel that unpacks it cannot take `entry` as it is. */
export function checkLimits(entry: ImageEntry): void {
  const name = entry.path.slice(1);
  if (name === TRAILER) refuse(entry, "its name ends a cpio archive");
  if (Buffer.byteLength(name) >= PATH_MAX) refuse(entry, `its path is longer than ${PATH_MAX - 1} bytes`);
  if (name.split("/").some((part) => Buffer.byteLength(part) > NAME_MAX)) {
    refuse(entry, `a name in its path is longer than ${NAME_MAX} bytes`);
  }
  if (entry.kind === "symlink" && Buffer.byteLength(entry.target) >= PATH_MAX) {
    refuse(entry, `the target of the symlink is longer than ${PATH_MAX - 1} bytes`);
  }
  if (entry.kind === "symlink" && entry.target === "") refuse(entry, "the target of the symlink is empty");
  if (entry.kind === "file" && entry.content.size > FIELD_MAX) refuse(entry, "a file must be smaller than 4 GiB");
  if ((entry.kind === "block" || entry.kind === "character") && (entry.major > MAJOR_MAX || entry.minor > MINOR_MAX)) {
    refuse(entry, `the kernel has no device number ${entry.major}:${entry.minor}`);
  }
}

function refuse(entry: ImageEntry, reason: string): never {
  const shown = entry.path.length > 80 ? `${entry.path.slice(0, 80)}…` : entry.path;
  throw new BootError(`an initramfs cannot hold ${shown}: ${reason}`, { hint: "leave it out of the image" });
}
