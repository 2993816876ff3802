import * as v from "valibot";
import type { Machine } from "../../machine/machine.ts";
import { removeTree, type Trees } from "../../machine/trees.ts";
import type { Voice } from "../../problems/voice.ts";
import { applyOperations, cleanUp } from "./apply.ts";
import { using } from "./content.ts";
import {
  type Branch,
  branchOf,
  readJournal,
  readStaged,
  removeJournal,
  STAGING_PREFIX,
  writeStaged,
} from "./journal.ts";
import { joinPath } from "./layers.ts";
import { OPAQUE, REDIRECT } from "./marks.ts";

/** What a factory reset leaves: paths in the branch. */
const RESET = v.object({ version: v.literal(1), keep: v.array(v.string()) });

const resetOf = ({ staging }: Branch) => `${staging}/reset`;

/**
 * Completes what was begun with a branch, before it is mounted in an overlay: a factory reset, or a sync that a power failure
 * interrupted. `path` is the directory of the branch, and its filesystem must be writable. Does nothing, at the price of one
 * lstat(2), if nothing was begun.
 */
export function settleBranch(machine: Disks, path: string, voice: Voice): void {
  if (!isUnsettled(machine, path)) return;
  const [parent, name] = splitPlace(path);
  using(machine.openTree(parent, "as mounted"), (tree) => settle(branchOf(tree, name), voice));
}

type Disks = Trees & Pick<Machine, "lstat">;

/** True if something was begun with a branch that `settleBranch` completes. */
export function isUnsettled(machine: Disks, path: string): boolean {
  const [parent, name] = splitPlace(path);
  return machine.lstat(`${parent}/${STAGING_PREFIX}${name}`) !== null;
}

/** Returns the directory that a branch lies in, and its name there. */
export function splitPlace(path: string): readonly [parent: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at) || "/", path.slice(at + 1)];
}

function settle(branch: Branch, voice: Voice): void {
  const { tree } = branch;
  const isThere = tree.status(branch.directory)?.kind === "directory";
  const reset = isThere ? readReset(branch) : null;
  const journal = isThere ? readJournal(branch) : null;
  if (reset !== null) {
    voice.progress(`factory reset: removing the changes of ${branch.directory}`);
    emptyExcept(branch, "", reset);
    tree.sync();
    removeJournal(branch);
    tree.remove(resetOf(branch));
  } else if (journal === "damaged") voice.warn("the journal of an interrupted levain sync is damaged, ignoring it");
  else if (journal !== null) {
    voice.progress(`finishing an interrupted levain sync: ${journal.count} changes`);
    let misfits = 0;
    applyOperations(branch, journal, () => {
      misfits += 1;
    });
    if (misfits > 0) {
      voice.warn(`an interrupted levain sync does not fit the persistent layer, ignoring changes of it: ${misfits}`);
    }
    tree.sync();
  }
  removeJournal(branch);
  cleanUp(branch, null);
  tree.sync();
}

/** Notes beside the branch that the next boot should empty it, except the paths `keep`. */
export function requestReset(branch: Branch, keep: readonly string[]): void {
  writeStaged(branch, resetOf(branch), [JSON.stringify({ version: 1, keep })]);
}

/** Returns the paths to keep; null if no reset was requested. A request that cannot be read keeps nothing. */
export function readReset(branch: Branch): readonly string[] | null {
  const text = readStaged(branch, resetOf(branch));
  if (text === null) return null;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), RESET), text);
  return result.success ? result.output.keep : [];
}

/** Removes everything in a directory of the branch except `keep` and the directories above it. Interrupted, it can be repeated. */
function emptyExcept(branch: Branch, path: string, keep: readonly string[]): void {
  const { tree, directory } = branch;
  // The directory at which the overlay is mounted is kept: all of the branch.
  if (keep.includes(path)) return;
  const at = path === "" ? directory : `${directory}/${path}`;
  // Without them, the directory hides or replaces what the layers below it have.
  for (const mark of [OPAQUE, REDIRECT]) tree.removeAttribute(at, mark);
  for (const name of tree.list(at)) {
    const child = joinPath(path, name);
    if (keep.includes(child)) continue;
    const isAbove = keep.some((kept) => kept.startsWith(`${child}/`));
    if (isAbove && tree.status(`${directory}/${child}`)?.kind === "directory") emptyExcept(branch, child, keep);
    else removeTree(tree, `${directory}/${child}`);
  }
}
