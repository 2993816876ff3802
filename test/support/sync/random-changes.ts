import type { Tree } from "../../../src/machine/trees.ts";
import { createRandom } from "../random.ts";

/** Makes one random change of a tree; the kernel may refuse it. */
export type RandomChanges = (tree: Tree) => void;

const NAMES = ["a", "b", "c", "d", "e", "\xff\xfe", "name with spaces"];
const ATTRIBUTES = ["trusted.one", "trusted.two", "security.test"];

/** Returns a source of random changes that is the same for each seed: create, write, truncate, rename, delete, link, chmod, chown, attributes, directories and nodes. */
export function randomChanges(seed: number): RandomChanges {
  const random = createRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const below = (tree: Tree, directory: string): string => {
    const names = tree.list(directory).toSorted();
    const isDeep = directory.split("/").length > 3;
    const inner = names.map((name) => join(directory, name)).filter((path) => tree.status(path)?.kind === "directory");
    return inner.length === 0 || isDeep || random() < 0.35 ? directory : below(tree, pick(inner));
  };
  const newPath = (tree: Tree) => join(below(tree, ""), pick(NAMES));
  const oldPath = (tree: Tree) => {
    const directory = below(tree, "");
    const names = tree.list(directory).toSorted();
    return names.length === 0 ? newPath(tree) : join(directory, pick(names));
  };
  const bytes = () =>
    Buffer.from(Array.from({ length: Math.floor(random() * 3000) }, () => Math.floor(random() * 256)));
  const actions: readonly RandomChanges[] = [
    ...times(4, (tree) => createFile(tree, newPath(tree), bytes(), random() < 0.2 ? 200_000 : 0)),
    ...times(3, (tree) => tree.makeDirectory(newPath(tree))),
    (tree) => rewrite(tree, oldPath(tree), bytes()),
    (tree) => rewrite(tree, oldPath(tree), new Uint8Array()),
    ...times(2, (tree) => replaceBytes(tree, oldPath(tree))),
    ...times(3, (tree) => tree.rename(oldPath(tree), newPath(tree))),
    ...times(2, (tree) => removeAll(tree, oldPath(tree))),
    (tree) => tree.link(oldPath(tree), newPath(tree)),
    (tree) =>
      tree.setAccess(oldPath(tree), {
        userId: pick([0, 1000]),
        groupId: pick([0, 50]),
        mode: pick([0o600, 0o755, 0o4711]),
      }),
    (tree) => tree.setModified(oldPath(tree), BigInt(Math.floor(random() * 2 ** 31)) * 1_000_000_000n + 5n),
    (tree) => tree.setAttribute(oldPath(tree), pick(ATTRIBUTES), bytes().subarray(0, 40)),
    (tree) => tree.removeAttribute(oldPath(tree), pick(ATTRIBUTES)),
    (tree) => tree.makeSymlink(pick(["a", "/etc", "\xff"]), newPath(tree)),
    (tree) => tree.makeNode(newPath(tree), pick(["fifo", "socket"] as const), null),
    (tree) => tree.makeNode(newPath(tree), "block", "8:250"),
    // A directory in the place of one that was removed is opaque.
    (tree) => {
      const path = oldPath(tree);
      removeAll(tree, path);
      tree.makeDirectory(path);
    },
  ];
  return (tree) => pick(actions)(tree);
}

function times(count: number, change: RandomChanges): readonly RandomChanges[] {
  return Array.from({ length: count }, () => change);
}

function createFile(tree: Tree, path: string, bytes: Uint8Array, hole: number): void {
  const file = tree.createFile(path);
  file.write(bytes, hole);
  file.finish(hole + bytes.length);
}

/** As most programs write: the file is replaced. */
function rewrite(tree: Tree, path: string, bytes: Uint8Array): void {
  if (tree.status(path)?.kind !== "file") return;
  tree.remove(path);
  createFile(tree, path, bytes, 0);
}

/** Other bytes, with the same size and time. */
function replaceBytes(tree: Tree, path: string): void {
  const status = tree.status(path);
  if (status?.kind !== "file" || status.size === 0 || status.size > 10_000) return;
  const file = tree.openFile(path);
  const bytes = new Uint8Array(file.size);
  file.read(bytes, 0);
  file.close();
  rewrite(
    tree,
    path,
    bytes.map((byte) => byte ^ 1),
  );
  tree.setModified(path, status.modifiedNs);
}

function removeAll(tree: Tree, path: string): void {
  if (tree.status(path)?.kind === "directory") for (const name of tree.list(path)) removeAll(tree, join(path, name));
  tree.remove(path);
}

function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
