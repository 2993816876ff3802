import type { Machine } from "../machine/machine.ts";

/** As the kernel's own limit (MAXSYMLINKS). */
const MOST_LINKS = 40;

/** Follows `path` as a process that is chrooted into `root` would; returns the path as seen from here, or null where nothing is there. */
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

/** The file that `path` means there, as seen from here; null where it is none, be it a device or a pipe that would be waited for. */
export function findFileIn(machine: Machine, root: string, path: string): string | null {
  const real = resolveIn(machine, root, path);
  return real !== null && machine.lstat(real)?.kind === "file" ? real : null;
}

/** The directory that `path` means there; null where it is none. */
export function findDirectoryIn(machine: Machine, root: string, path: string): string | null {
  const real = resolveIn(machine, root, path);
  return real !== null && machine.lstat(real)?.kind === "directory" ? real : null;
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}
