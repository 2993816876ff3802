import { ArchiveError } from "./fault.ts";

/** PATH_MAX and NAME_MAX of linux/limits.h, the first without the NUL at its end. */
const [LONGEST_PATH, LONGEST_NAME] = [4095, 255];

/** Returns the path of an entry below the root of the tree, "" for the root itself. Throws ArchiveError for a name that would lead elsewhere. */
export function entryPath(name: string): string {
  if (name.startsWith("/")) throw new ArchiveError("absolute", name);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new ArchiveError("parent", name);
  const path = parts.join("/");
  const isTooLong = path.length > LONGEST_PATH || parts.some((part) => part.length > LONGEST_NAME);
  if (name === "" || isTooLong || name.includes("\0")) throw new ArchiveError("name", name.slice(0, LONGEST_NAME));
  return path;
}

/**
 * Throws ArchiveError if the target of the symbolic link at `path` is above the root of the tree. An absolute target is in the tree,
 * as its root will be that of the system; ".." there would be the initramfs until then.
 */
export function requireInside(path: string, target: string): void {
  const isUsable = target !== "" && target.length <= LONGEST_PATH && !target.includes("\0");
  if (!isUsable) throw new ArchiveError("malformed", path, "the target of a symbolic link");
  let depth = target.startsWith("/") ? 0 : path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) throw new ArchiveError("target", path, target);
  }
}
