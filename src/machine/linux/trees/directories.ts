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
    open.set(path, fd);
    return fd;
  };
  const close = () => {
    for (const fd of open.values()) fs.closeSync(fd);
    open.clear();
  };
  // Never between two places of one call: a path would then lead through a descriptor that is another by now.
  const closeIfMany = () => {
    if (open.size > MOST_OPEN) close();
  };
  const placeOf = (path: string) =>
    path === "" ? below(root, ".") : below(descriptorOf(parentOf(path)), nameOf(path));
  return {
    place(path) {
      closeIfMany();
      return placeOf(path);
    },
    inside(path) {
      closeIfMany();
      return below(descriptorOf(path), ".");
    },
    pair(from, to) {
      closeIfMany();
      return [placeOf(from), placeOf(to)];
    },
    forget,
    close,
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
