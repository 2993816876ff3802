import * as fs from "node:fs";
import { O_CLOEXEC, O_PATH } from "../../abi.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "../../abi-trees.ts";
import { refusable } from "../descriptors.ts";

/** The open directories of a tree. */
export interface Directories {
  /** Returns a path to an entry: below a descriptor of its directory, so that no symbolic link is followed. "inside": to the directory itself, through its descriptor. */
  place(path: string, where?: "inside"): Buffer;
  /** Closes the directory at `path` and those below it: the path may now mean another. */
  forget(path: string): void;
  /** Closes all of them. */
  close(): void;
}

const MOST_OPEN = 64;

/** Keeps directories below the directory `root` open. Each is opened from the one above it, which works before openat2(2) too. */
export function createDirectories(root: number): Directories {
  const open = new Map<string, number>();
  const forget = (path: string) => {
    for (const [known, fd] of open) {
      if (known !== path && !known.startsWith(`${path}/`)) continue;
      fs.closeSync(fd);
      open.delete(known);
    }
  };
  const descriptorOf = (path: string): number => {
    if (path === "") return root;
    const known = open.get(path);
    if (known !== undefined) return known;
    const at = below(descriptorOf(parentOf(path)), nameOf(path));
    const fd = refusable(path, () => fs.openSync(at, O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW));
    const [oldest] = open.keys();
    if (open.size >= MOST_OPEN && oldest !== undefined) {
      fs.closeSync(open.get(oldest) ?? -1);
      open.delete(oldest);
    }
    open.set(path, fd);
    return fd;
  };
  return {
    place: (path, where) =>
      path === "" || where === "inside"
        ? below(descriptorOf(path), ".")
        : below(descriptorOf(parentOf(path)), nameOf(path)),
    forget,
    close() {
      for (const fd of open.values()) fs.closeSync(fd);
      open.clear();
    },
  };
}

function below(fd: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/${name}`, "latin1");
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
