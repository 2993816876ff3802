import type { Machine } from "../machine/machine.ts";
import { SyscallError } from "../problems/errors.ts";

/** The kernel's limit (MAXSYMLINKS). */
const MOST_LINKS = 40;

/** Resolves `path` as a process that is chrooted into `root` would; returns the path from the initramfs, or null if nothing is there. */
export function resolveIn(machine: Machine, root: string, path: string): string | null {
  const base = root === "/" ? "" : root;
  const todo = split(path);
  const done: string[] = [];
  for (let links = 0; todo.length > 0; ) {
    const name = todo.shift();
    if (name === undefined || name === ".") continue;
    if (name === "..") {
      done.pop();
      continue;
    }
    const here = `${base}/${[...done, name].join("/")}`;
    const status = machine.lstat(here);
    if (status === null) return null;
    if (status.kind !== "symlink") {
      done.push(name);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return null;
    const target = machine.readLink(here);
    if (target.startsWith("/")) done.length = 0;
    todo.unshift(...split(target));
  }
  return `${base}/${done.join("/")}`;
}

const finder = (kind: "file" | "directory") => (machine: Machine, root: string, path: string) => {
  const real = resolveIn(machine, root, path);
  return real !== null && machine.lstat(real)?.kind === kind ? real : null;
};

/** Resolves the path of a regular file; null for anything else: a read of a device or a pipe could block. */
export const findFileIn = finder("file");
/** Resolves the path of a directory; null for anything else. */
export const findDirectoryIn = finder("directory");

/**
 * Returns the directory `path` as a process that is chrooted into `root` would find it, after creating what is missing of it. Throws
 * SyscallError: EEXIST if a name is taken by something else.
 */
export function makeDirectoryIn(machine: Machine, root: string, path: string): string {
  const known = findDirectoryIn(machine, root, path);
  if (known !== null) return known;
  const parent = makeDirectoryIn(machine, root, path.slice(0, path.lastIndexOf("/")));
  const made = `${parent.replace(/\/$/, "")}/${path.slice(path.lastIndexOf("/") + 1)}`;
  // mkdir(2) would do nothing for a symbolic link, which may lead out of the root.
  if (machine.lstat(made) !== null) throw new SyscallError("mkdir", "EEXIST", made);
  machine.makeDirectory(made);
  return made;
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}
