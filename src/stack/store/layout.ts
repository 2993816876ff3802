import { findDirectoryIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";

/** The two directories of overlayfs in a store, as names below its directory. */
export interface UpperNames {
  readonly upper: string;
  readonly work: string;
}

/** The names of each tool, those of levain first: levain makes these if there are none. */
const INSIDE: readonly UpperNames[] = [
  { upper: "upper", work: "work" },
  // archiso's hook, below cow_directory=.
  { upper: "upperdir", work: "workdir" },
  // dracut's dmsquash-live, in an image file.
  { upper: "overlayfs", work: "ovlwork" },
];

/** Tools whose named directory is the upper itself, and where their work directory is: those of dracut and overlayroot. */
const BESIDE: readonly ((upper: string) => string)[] = [() => "ovlwork", (upper) => `${upper}-workdir/_`];

/** Characters with a meaning in the options of overlayfs: in the name of a directory on a disk, they would be other options. */
export const SPECIAL = /[,:\\]/;

const isDirectory = (machine: Machine, path: string) => machine.lstat(path)?.kind === "directory";

/** Returns the names of the two directories in `directory`, as the tool that made them has them. */
export function findUpperNames(machine: Machine, directory: string): UpperNames {
  const [own = { upper: "upper", work: "work" }, ...others] = INSIDE;
  const isThere = ({ upper, work }: UpperNames) =>
    isDirectory(machine, `${directory}/${upper}`) && isDirectory(machine, `${directory}/${work}`);
  return isThere(own) ? own : (others.find(isThere) ?? own);
}

/** Returns the parent of `directory` and the names in it, if another tool uses `directory` itself as the upper; else null. `directory` is a path without symbolic links. */
export function findUpperBeside(
  machine: Machine,
  directory: string,
): { readonly parent: string; readonly names: UpperNames } | null {
  const slash = directory.lastIndexOf("/");
  const [parent, upper] = [directory.slice(0, slash), directory.slice(slash + 1)];
  // By its own path: one that leads through a symbolic link may be elsewhere.
  const isReal = (name: string) => findDirectoryIn(machine, parent, name) === `${parent}/${name}`;
  const work = BESIDE.map((name) => name(upper)).find(isReal);
  const isOwn = isDirectory(machine, `${directory}/upper`);
  return work === undefined || isOwn || SPECIAL.test(upper) ? null : { parent, names: { upper, work } };
}
