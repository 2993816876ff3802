import { type Stats, statSync } from "node:fs";

/** True where `path` leads to a regular file of this host; false also where it cannot be reached. */
export function isFile(path: string): boolean {
  return reach(path)?.isFile() ?? false;
}

/** True where `path` leads to a directory of this host; false also where it cannot be reached. */
export function isDirectory(path: string): boolean {
  return reach(path)?.isDirectory() ?? false;
}

function reach(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    // ENOENT, ENOTDIR, EACCES, ELOOP: whatever the reason, there is nothing that could be used.
    return null;
  }
}
