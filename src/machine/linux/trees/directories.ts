import * as fs from "node:fs";
import { O_CLOEXEC, O_PATH } from "../../abi/constants.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "../../abi/trees.ts";
import { systemCall } from "../libc.ts";
import { encodeName } from "./names.ts";

/** An entry for a system call: the descriptor of its directory and its name there, NUL-terminated, so that no symbolic link above it is followed. It is valid until the next call. */
export interface EntryPlace {
  readonly directory: number;
  readonly name: Uint8Array;
}

/** The open directories of a tree. */
export interface Directories {
  place(path: string): EntryPlace;
  /** Returns a path to an entry, NUL-terminated, for calls that know no descriptor of a directory. */
  through(path: string): Uint8Array;
  /** Returns the descriptor of a directory itself. */
  inside(path: string): number;
  /** Returns two entries, which are valid together. */
  pair(from: string, to: string): readonly [EntryPlace, EntryPlace];
  /** Closes the directory at `path` and those below it: the path may now mean another. */
  forget(path: string): void;
  close(): void;
}

const MOST_OPEN = 64;
/** Within a call, which may lead through more levels than a process may have open files. */
const MOST_OPEN_AT_ONCE = 256;

/** Keeps directories below the directory `root` open. Each is opened from the one above it, which works before openat2(2) too. */
export function createDirectories(root: number): Directories {
  const open = new Map<string, number>();
  /** The directory that the running call uses besides the last one. */
  let held: string | null = null;
  const closeOldest = (most: number) => {
    if (open.size <= most) return;
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
    const known = path === "" ? root : open.get(path);
    if (known !== undefined) return known;
    const missing: string[] = [];
    let at = path;
    for (; at !== "" && !open.has(at); at = parentOf(at)) missing.push(at);
    let fd = open.get(at) ?? root;
    for (const next of missing.toReversed()) {
      fd = systemCall("openat", next, fd, encodeName(nameOf(next)), O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
      open.set(next, fd);
      closeOldest(MOST_OPEN_AT_ONCE);
    }
    return fd;
  };
  const placeOf = (path: string): EntryPlace =>
    path === ""
      ? { directory: root, name: THIS }
      : { directory: descriptorOf(parentOf(path)), name: encodeName(nameOf(path)) };
  return {
    place(path) {
      begin();
      return placeOf(path);
    },
    through(path) {
      begin();
      return encodeName(`/proc/self/fd/${descriptorOf(parentOf(path))}/${path === "" ? "." : nameOf(path)}`);
    },
    inside(path) {
      begin();
      return descriptorOf(path);
    },
    pair(from, to) {
      begin();
      held = parentOf(from);
      return [placeOf(from), placeOf(to)];
    },
    forget: (path) => closeBelow(open, path),
    close() {
      held = null;
      closeOldest(0);
    },
  };
}

const THIS = encodeName(".");

function closeBelow(open: Map<string, number>, path: string): void {
  const below = `${path}/`;
  for (const [known, fd] of open) {
    if (known !== path && !known.startsWith(below)) continue;
    fs.closeSync(fd);
    open.delete(known);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
