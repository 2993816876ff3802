import * as v from "valibot";
import type { Tree } from "../../machine/trees.ts";
import { using } from "./content.ts";
import { OPERATION } from "./operations.ts";

/** The journal must not decide how much memory a boot takes. */
const MOST_JOURNAL_BYTES = 256 << 20;

const JOURNAL = v.object({
  version: v.literal(1),
  /** The directory of the prepared items, beside the journal. */
  items: v.pipe(v.string(), v.regex(/^items-\d{1,9}$/)),
  /** True if these changes wait until the overlay is no longer mounted. */
  waits: v.boolean(),
  operations: v.array(OPERATION),
});

/** The changes of a branch that have begun, or wait. */
export type Journal = v.InferOutput<typeof JOURNAL>;

/** A branch of an overlay in the tree of its parent directory. */
export interface Branch {
  readonly tree: Tree;
  /** The directory of the branch, a name in the tree. */
  readonly directory: string;
  /** The directory beside it in which changes are prepared. */
  readonly staging: string;
}

/** The prefix of the name of a directory beside a branch. */
export const STAGING_PREFIX = ".levain-";

/** Returns the branch `directory` of a tree. */
export function branchOf(tree: Tree, directory: string): Branch {
  return { tree, directory, staging: `${STAGING_PREFIX}${directory}` };
}

const journalOf = ({ staging }: Branch) => `${staging}/journal`;

/** Reads the journal; null if there is none, "damaged" if it is not one that levain wrote. */
export function readJournal(branch: Branch): Journal | null | "damaged" {
  const text = readStaged(branch, journalOf(branch));
  if (text === null) return null;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), JOURNAL), text);
  return result.success ? result.output : "damaged";
}

/** Replaces the journal at once: whenever the power fails, it is the old one or the new one. */
export function writeJournal(branch: Branch, journal: Journal): void {
  writeStaged(branch, journalOf(branch), JSON.stringify(journal));
}

/** Removes the journal: everything in it is done. If that is not on the disk before the power fails, everything is found to be done. */
export function removeJournal({ tree, ...branch }: Branch): void {
  if (tree.status(journalOf({ tree, ...branch })) === null) return;
  tree.remove(journalOf({ tree, ...branch }));
}

/** Reads a file of the staging directory; null if there is none. */
export function readStaged({ tree }: Branch, path: string): string | null {
  const status = tree.status(path);
  if (status?.kind !== "file") return null;
  if (status.size > MOST_JOURNAL_BYTES) return "";
  const bytes = new Uint8Array(status.size);
  const count = using(tree.openFile(path), (file) => file.read(bytes, 0));
  return new TextDecoder().decode(bytes.subarray(0, count));
}

/** Writes a file of the staging directory, all of it or nothing, and everything written before is on the disk first. */
export function writeStaged(branch: Branch, path: string, text: string): void {
  const { tree } = branch;
  const unfinished = `${path}.new`;
  makeStaging(branch);
  if (tree.status(unfinished) !== null) tree.remove(unfinished);
  const bytes = new TextEncoder().encode(text);
  const file = tree.createFile(unfinished);
  try {
    file.write(bytes, 0);
  } finally {
    file.finish(bytes.length);
  }
  tree.sync();
  tree.rename(unfinished, path);
  tree.sync();
}

/** Makes the staging directory, which only root may enter. */
export function makeStaging({ tree, staging }: Branch): void {
  if (tree.status(staging)?.kind !== "directory") tree.makeDirectory(staging);
}
