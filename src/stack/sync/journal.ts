import * as v from "valibot";
import type { Tree } from "../../machine/trees.ts";
import { using } from "./content.ts";
import { OPERATION, type Operation } from "./operations.ts";

/** The first line of a journal. */
const HEAD = v.object({
  version: v.literal(2),
  /** The directory of the prepared items, beside the journal. */
  items: v.pipe(v.string(), v.regex(/^items-\d{1,9}$/)),
  /** True if these changes wait until the overlay is no longer mounted. */
  waits: v.boolean(),
  /** How many lines follow, an operation in each. */
  count: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

/** The changes of a branch that have begun, or wait. */
export interface Journal extends Omit<v.InferOutput<typeof HEAD>, "version" | "count"> {
  readonly count: number;
  /** Can be read several times. Of a journal that was read, they come from the file one by one: however many there are, a boot needs the same memory. */
  readonly operations: Iterable<Operation>;
}

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
  const path = journalOf(branch);
  if (branch.tree.status(path)?.kind !== "file") return null;
  const [first] = readLines(branch, path);
  const head = parseLine(HEAD, first ?? null);
  if (head === null) return "damaged";
  const { items, waits, count } = head;
  const journal = { items, waits, count, operations: { [Symbol.iterator]: () => readOperations(branch, path) } };
  // Nothing of a damaged journal is carried out.
  let found = 0;
  for (const _ of readOperations(branch, path)) found += 1;
  return found === count ? journal : "damaged";
}

function* readOperations(branch: Branch, path: string): Generator<Operation, void> {
  let isHead = true;
  for (const line of readLines(branch, path)) {
    const operation = isHead ? null : parseLine(OPERATION, line);
    if (operation === null && !isHead) return;
    if (operation !== null) yield operation;
    isHead = false;
  }
}

function parseLine<Schema extends v.GenericSchema>(schema: Schema, line: string | null): v.InferOutput<Schema> | null {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), line);
  return result.success ? result.output : null;
}

/** Replaces the journal at once: whenever the power fails, it is the old one or the new one. */
export function writeJournal(branch: Branch, { items, waits, count, operations }: Journal): void {
  writeStaged(branch, journalOf(branch), linesOf({ version: 2, items, waits, count }, operations));
}

function* linesOf(head: v.InferOutput<typeof HEAD>, operations: Iterable<Operation>): Generator<string, void> {
  yield `${JSON.stringify(head)}\n`;
  for (const operation of operations) yield `${JSON.stringify(operation)}\n`;
}

/** Removes the journal: everything in it is done. If that is not on the disk before the power fails, everything is found to be done. */
export function removeJournal({ tree, ...branch }: Branch): void {
  if (tree.status(journalOf({ tree, ...branch })) === null) return;
  tree.remove(journalOf({ tree, ...branch }));
}

/** The order for a reset names what is kept. */
const MOST_STAGED_BYTES = 1 << 20;

/** Reads a small file of the staging directory; null if there is none. */
export function readStaged({ tree }: Branch, path: string): string | null {
  const status = tree.status(path);
  if (status?.kind !== "file") return null;
  if (status.size > MOST_STAGED_BYTES) return "";
  const bytes = new Uint8Array(status.size);
  const count = using(tree.openFile(path), (file) => file.read(bytes, 0));
  return decoder.decode(bytes.subarray(0, count));
}

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
const CHUNK_BYTES = 1 << 20;
/** A path, and the extended attributes of one file. */
const MOST_LINE_BYTES = 16 << 20;

/** Reads the lines of a file that end with a newline. It ends at the first line that is too long. */
function* readLines({ tree }: Branch, path: string): Generator<string, void> {
  const file = tree.openFile(path);
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let rest: Uint8Array = new Uint8Array();
    for (let offset = 0; rest.length <= MOST_LINE_BYTES; ) {
      const count = file.read(chunk, offset);
      if (count === 0) return;
      offset += count;
      const bytes = Buffer.concat([rest, chunk.subarray(0, count)]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        yield decoder.decode(bytes.subarray(start, end));
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
  } finally {
    file.close();
  }
}

/** Writes a file of the staging directory, all of it or nothing, and everything written before is on the disk first. */
export function writeStaged(branch: Branch, path: string, texts: Iterable<string>): void {
  const { tree } = branch;
  const unfinished = `${path}.new`;
  makeStaging(branch);
  if (tree.status(unfinished) !== null) tree.remove(unfinished);
  const file = tree.createFile(unfinished);
  let offset = 0;
  try {
    for (const bytes of joinTexts(texts)) {
      file.write(bytes, offset);
      offset += bytes.length;
    }
  } finally {
    file.finish(offset);
  }
  tree.sync();
  tree.rename(unfinished, path);
  tree.sync();
}

/** Encodes texts in parts that are worth a system call. */
function* joinTexts(texts: Iterable<string>): Generator<Uint8Array, void> {
  let part = "";
  for (const text of texts) {
    part += text;
    if (part.length < CHUNK_BYTES) continue;
    yield encoder.encode(part);
    part = "";
  }
  yield encoder.encode(part);
}

/** Makes the staging directory, which only root may enter. */
export function makeStaging({ tree, staging }: Branch): void {
  if (tree.status(staging)?.kind !== "directory") tree.makeDirectory(staging);
}
