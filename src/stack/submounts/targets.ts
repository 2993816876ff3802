import { findDirectoryIn, findFileIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { isMoved } from "../../parameters/stack/submounts.ts";
import { orProblem, problem } from "../../problems/problem.ts";
import { ROOT } from "../root-stack.ts";

/**
 * Returns where `path` of the root is now, without symbolic links: below /run and the like in the filesystem that moves into
 * the root later, else below `ROOT`. A missing directory is created, but not its parents; a file is accepted if `isFile`.
 * Throws BootError.
 */
export function findTarget(machine: Machine, path: string, isFile = false): string {
  const place = resolvePlace(machine, path);
  if (place === null) throw problem("submount-without-place", { path });
  const kind = machine.lstat(place)?.kind ?? null;
  if (kind === (isFile ? "file" : "directory")) return place;
  if (kind !== null || isFile) throw problem("submount-without-place", { path });
  orProblem("submount-without-place", { path }, () => machine.makeDirectory(place));
  return place;
}

function resolvePlace(machine: Machine, path: string): string | null {
  if (isMoved(path)) return path;
  const cut = path.lastIndexOf("/");
  const parent = findDirectoryIn(machine, ROOT, path.slice(0, cut));
  const inRoot = findDirectoryIn(machine, ROOT, path) ?? findFileIn(machine, ROOT, path);
  const place = inRoot ?? (parent === null ? null : `${parent}${path.slice(cut)}`.replace("//", "/"));
  const within = place?.slice(ROOT.length) ?? "";
  return isMoved(within) ? within : place;
}

/** Returns the directory `path` of the root for a union or a tmpfs over it, which no symbolic link may lead to: the real system would see it at another path. Throws BootError. */
export function findCovered(machine: Machine, path: string): string {
  const real = findDirectoryIn(machine, ROOT, path);
  if (real === `${ROOT}${path}`) return real;
  throw problem("union-without-directory", { path, real: real === null ? null : real.slice(ROOT.length) || "/" });
}
