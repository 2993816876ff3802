import { removeTree, type Tree } from "../../machine/trees.ts";
import { type SyscallError, unlessRefused } from "../../problems/errors.ts";
import type { Branch, Journal } from "./journal.ts";
import { joinPath } from "./layers.ts";
import { isMark, OPAQUE, REDIRECT } from "./marks.ts";
import type { Operation } from "./operations.ts";

const MISFITS = [
  "ENOENT",
  "ENOTDIR",
  "EISDIR",
  "ELOOP",
  "EEXIST",
  "ENOTEMPTY",
  "EINVAL",
  "EPERM",
  "EOPNOTSUPP",
  "ENAMETOOLONG",
];

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

/**
 * Carries out operations whose items are prepared. What is done already is left as it is, so a journal can be carried out again
 * after a power failure at any moment. `onMisfit` gets the refusal of an operation that does not fit the tree, which may have been
 * changed elsewhere; by default it is thrown.
 */
export function applyOperations(
  branch: Branch,
  { items, operations }: Pick<Journal, "items" | "operations">,
  onMisfit: (refusal: SyscallError) => void = rethrow,
): void {
  const { tree, staging, directory } = branch;
  const aside = `${staging}/aside`;
  if (tree.status(aside) === null) tree.makeDirectory(aside);
  let moved = Math.max(0, ...tree.list(aside).map(Number));
  // A directory that is in the way is removed later: moving it takes one step, whatever is in it.
  const moveAside = (path: string) => {
    moved += 1;
    tree.rename(path, `${aside}/${moved}`);
  };
  for (const operation of operations) {
    const at = operation.path === "" ? directory : joinPath(directory, operation.path);
    const change = { tree, at };
    unlessRefused(
      () => {
        if (operation.kind === "place") placeItem(change, `${staging}/${items}/${operation.item}`, moveAside);
        else if (operation.kind === "remove") remove(change, moveAside);
        else applyOperation(change, operation);
      },
      onMisfit,
      ...MISFITS,
    );
  }
}

function rethrow(refusal: SyscallError): never {
  throw refusal;
}

interface Change {
  readonly tree: Tree;
  /** The path of the entry in the tree. */
  readonly at: string;
}

/** Carries out an operation that concerns nothing but its entry. */
export function applyOperation(change: Change, operation: Operation): void {
  if (operation.kind === "directory") makeDirectory(change, operation);
  else if (operation.kind === "attributes") setAttributes(change, operation);
  else if (operation.kind === "time") setTime(change, operation.modified);
  else if (operation.kind === "more attributes" && change.tree.status(change.at) !== null) {
    addAttributes(change, decodeAttributes(operation.attributes));
  }
}

function makeDirectory(change: Change, operation: Of<"directory">): void {
  const { tree, at } = change;
  const there = tree.status(at);
  if (there !== null && there.kind !== "directory") tree.remove(at);
  if (there?.kind !== "directory") tree.makeDirectory(at);
  setAttributes(change, operation);
  if (!operation.isOpaque) return;
  tree.setAttribute(at, OPAQUE, Buffer.from("y"));
  tree.removeAttribute(at, REDIRECT);
}

function placeItem({ tree, at }: Change, prepared: string, moveAside: (path: string) => void): void {
  const refused = unlessRefused(
    () => void tree.rename(prepared, at),
    (refusal) => refusal,
    ...["ENOENT", "EISDIR"],
  );
  if (refused === undefined || tree.status(prepared) === null) return;
  if (refused.code !== "EISDIR") throw refused;
  moveAside(at);
  tree.rename(prepared, at);
}

function remove({ tree, at }: Change, moveAside: (path: string) => void): void {
  const there = tree.status(at);
  if (there?.kind === "directory") moveAside(at);
  else if (there !== null) tree.remove(at);
}

function setTime({ tree, at }: Change, modified: string): void {
  if (tree.status(at) !== null) tree.setModified(at, BigInt(modified));
}

function setAttributes(change: Change, operation: Of<"directory"> | Of<"attributes">): void {
  const { tree, at } = change;
  if (tree.status(at) === null) return;
  tree.setAccess(at, operation);
  replaceAttributes(tree, at, decodeAttributes(operation.attributes));
  if (operation.kind === "attributes") setTime(change, operation.modified);
}

function decodeAttributes(encoded: Readonly<Record<string, string>>): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(encoded).map(([name, value]) => [name, Buffer.from(value, "base64")]));
}

/** Gives an entry these extended attributes, and no others but overlayfs' own. */
function replaceAttributes(tree: Tree, path: string, attributes: ReadonlyMap<string, Uint8Array>): void {
  const old = tree.attributes(path);
  for (const name of old.keys()) if (!attributes.has(name) && !isMark(name)) tree.removeAttribute(path, name);
  addAttributes({ tree, at: path }, attributes, old);
}

function addAttributes(
  { tree, at }: Pick<Change, "tree" | "at">,
  attributes: ReadonlyMap<string, Uint8Array>,
  old = tree.attributes(at),
): void {
  for (const [name, value] of attributes) {
    const there = old.get(name);
    if (there === undefined || !Buffer.from(there).equals(value)) tree.setAttribute(at, name, value);
  }
}

/** Removes what has been prepared or moved aside, except the items `kept`, and orders for the next boot. */
export function cleanUp({ tree, staging }: Branch, kept: string | null): void {
  const stay = ["journal", "reset", kept];
  for (const name of tree.list(staging)) if (!stay.includes(name)) removeTree(tree, `${staging}/${name}`);
  if (tree.list(staging).length === 0) tree.remove(staging);
}
