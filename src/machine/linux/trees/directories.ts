import * as fs from "node:fs";
import { O_CLOEXEC, O_PATH } from "../../abi.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "../../abi-trees.ts";
import { refusable } from "../descriptors.ts";

/** The open directories of a tree. */
export interface Directories {
  /** Returns a path to an entry: below a descriptor of its directory, so that no symbolic link is followed. It is valid until the next call. */
  place(path: string): Buffer;
  /** Returns a path to a directory itself, through its descriptor. */
  inside(path: string): Buffer;
  /** Returns the paths to two entries, which are valid together. */
  pair(from: string, to: string): readonly [Buffer, Buffer];
  /** Closes the directory at `path` and those below it: the path may now mean another. */
  forget(path: string): void;
  /** Closes all of them. */
  close(): void;
}

const MOST_OPEN = 64;
/** Within a call, which may lead through more levels than a process may have open files. */
const MOST_OPEN_AT_ONCE = 256;

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
  /** The directory that the running call uses besides the last one. */
  let held: string | null = null;
  const closeOldest = (most: number) => {
    for (const [path, fd] of open) {
      if (open.size <= most) return;
      if (path === held) continue;
      fs.closeSync(fd);
      open.delete(path);
    }
  };
  const begin = () => {
    held = null;
    closeOldest(MOST_OPEN);
  };
  const descriptorOf = (path: string): number => {
    const missing: string[] = [];
    let at = path;
    for (; at !== "" && !open.has(at); at = parentOf(at)) missing.push(at);
    let fd = open.get(at) ?? root;
    for (const next of missing.toReversed()) {
      const place = below(fd, nameOf(next));
      fd = refusable(next, () => fs.openSync(place, O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW));
      open.set(next, fd);
      closeOldest(MOST_OPEN_AT_ONCE);
    }
    return fd;
  };
  const placeOf = (path: string) =>
    path === "" ? below(root, ".") : below(descriptorOf(parentOf(path)), nameOf(path));
  return {
    place(path) {
      begin();
      return placeOf(path);
    },
    inside(path) {
      begin();
      return below(descriptorOf(path), ".");
    },
    pair(from, to) {
      begin();
      held = parentOf(from);
      return [placeOf(from), placeOf(to)];
    },
    forget,
    close() {
      held = null;
      closeOldest(0);
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
