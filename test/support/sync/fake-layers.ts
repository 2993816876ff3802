import type { Machine } from "../../../src/machine/machine.ts";
import type { Tree } from "../../../src/machine/trees.ts";
import { isErrno } from "../../../src/problems/errors.ts";
import { createLayers } from "../../../src/stack/sync/layers.ts";
import type { SyncOrder } from "../../../src/stack/sync/sync.ts";
import { type FakeDirectory, type FakeFile, makeFakeDirectory } from "../fake-files.ts";
import { fakeTree } from "../fake-tree.ts";
import { createRandom } from "../random.ts";
import { type RandomChanges, randomChanges } from "./random-changes.ts";
import { mergedSnapshot, type Snapshot } from "./snapshot.ts";

export class PowerCutError extends Error {}

/** Three layers in memory, and the power, which fails after so many changes of the store. */
export interface FakeLayers {
  readonly order: SyncOrder;
  /** For `syncBranch` and `settleBranch`. */
  readonly machine: Machine;
  readonly cutAfter: (changes: number) => void;
  /** How many changes of the store there were since then. */
  readonly changes: () => number;
  /** What is not on the disk is lost, and the power is back. */
  readonly restart: () => void;
  /** What all layers show, and what those below the upper show. */
  readonly shown: () => Snapshot;
  readonly below: () => Snapshot;
  readonly tree: (path: "/ram/upper" | "/store" | "/store/upper" | "/base") => Tree;
}

const ORDER: SyncOrder = { upper: "/ram/upper", branch: "/store/upper", lowers: ["/base"], scope: "" };

export function fakeLayers(): FakeLayers {
  const store = makeFakeDirectory();
  const branch = makeFakeDirectory();
  store.entries.set("upper", branch);
  const roots: Record<string, FakeDirectory> = {
    "/ram/upper": makeFakeDirectory(),
    "/base": makeFakeDirectory(),
    "/store": store,
    "/store/upper": branch,
  };
  const unsynced = new Set<FakeFile>();
  const power = { left: Number.POSITIVE_INFINITY, changes: 0 };
  const beforeChange = () => {
    power.changes += 1;
    if (power.changes > power.left) throw new PowerCutError();
  };
  const tree = (path: string) =>
    fakeTree(roots[path] ?? makeFakeDirectory(), path.startsWith("/store") ? { beforeChange, unsynced } : {});
  const machine = {
    openTree: tree,
    // No line of mountinfo: nothing is known of the layers.
    readFile: () => new Uint8Array(),
    lstat: (path: string) => tree("/store").status(path.replace("/store/", "")),
    nowMs: () => 0,
    sleepMs: () => undefined,
  } as Partial<Machine> as Machine;
  const show = (paths: readonly string[]) => {
    const trees = paths.map((path) => fakeTree(roots[path] ?? makeFakeDirectory()));
    return mergedSnapshot(trees, createLayers(trees));
  };
  return {
    order: ORDER,
    machine,
    cutAfter: (changes) => Object.assign(power, { left: changes, changes: 0 }),
    changes: () => power.changes,
    restart() {
      for (const file of unsynced) file.data = new Uint8Array();
      unsynced.clear();
      Object.assign(power, { left: Number.POSITIVE_INFINITY, changes: 0 });
    },
    shown: () => show(["/ram/upper", "/store/upper", "/base"]),
    below: () => show(["/store/upper", "/base"]),
    tree,
  };
}

/** Fills the layers at random, with all marks that overlayfs knows, also where it would not set them. */
export function randomLayers(seed: number): FakeLayers {
  const layers = fakeLayers();
  const changes = randomChanges(seed);
  for (const path of ["/base", "/store/upper", "/ram/upper"] as const) {
    for (let count = 0; count < 40; count++) tolerate(layers.tree(path), changes);
    if (path !== "/base") addMarks(layers.tree(path), createRandom(seed + path.length));
  }
  layers.tree("/store").sync();
  return layers;
}

function tolerate(tree: Tree, change: RandomChanges): void {
  try {
    change(tree);
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

const REDIRECTS = ["/a", "/b", "/a/b", "c", "/c/a", "/nowhere", "../a", ""];

function addMarks(tree: Tree, random: () => number): void {
  const visit = (path: string) => {
    const isDirectory = tree.status(path)?.kind === "directory";
    if (!isDirectory && random() < 0.15) replaceByWhiteout(tree, path, random() < 0.5);
    if (!isDirectory) return;
    if (path !== "") markDirectory(path, random());
    for (const name of tree.list(path)) visit(path === "" ? name : `${path}/${name}`);
  };
  const markDirectory = (path: string, chance: number) => {
    const set = (name: string, text: string) => tree.setAttribute(path, `trusted.overlay.${name}`, Buffer.from(text));
    if (chance < 0.15) set("opaque", "y");
    else if (chance < 0.25) set("opaque", "x");
    else if (chance < 0.4) set("redirect", pick(REDIRECTS, random));
  };
  visit("");
}

function replaceByWhiteout(tree: Tree, path: string, isFile: boolean): void {
  tree.remove(path);
  if (!isFile) tree.makeNode(path, "character", "0:0");
  else {
    tree.createFile(path).finish(0);
    tree.setAttribute(path, "trusted.overlay.whiteout", Buffer.from("y"));
  }
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T;
}
