import type { Machine } from "../../../src/machine/machine.ts";
import type { Tree } from "../../../src/machine/trees.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { settleBranch } from "../../../src/stack/sync/settle.ts";
import { syncBranch } from "../../../src/stack/sync/sync.ts";
import { type RandomChanges, randomChanges } from "./random-changes.ts";
import { differences, snapshot } from "./snapshot.ts";

export interface RandomOverlay {
  readonly seed: number;
  /** How many changes are made in the overlay. */
  readonly changes: number;
  /** Mount options besides the layers: "redirect_dir=on,metacopy=on" makes overlayfs refer to lower layers by other names. */
  readonly options: string;
  /** The directory that is brought down; "" for all. */
  readonly scope: string;
}

const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };

/**
 * Makes an overlay of a tmpfs over a branch over a base by random changes, syncs it, and returns what then differs: the overlay
 * while it is still mounted, and the branch over the base. `directory` is an empty one on a filesystem with trusted attributes.
 */
export function checkRandomOverlay(machine: Machine, directory: string, overlay: RandomOverlay): readonly string[] {
  const at = (name: string) => `${directory}/${name}`;
  for (const name of ["base", "store/upper", "store/work", "ram", "root"]) machine.makeDirectory(at(name));
  machine.mount({ source: "tmpfs", target: at("ram"), type: "tmpfs", flags: [], options: "" });
  for (const name of ["ram/upper", "ram/work"]) machine.makeDirectory(at(name));
  const changes = randomChanges(overlay.seed);
  const { options } = overlay;
  changeTree(machine, at("base"), changes, 60);
  inOverlay(machine, at, { lowers: ["base"], upper: "store", options }, (tree) => applyChanges(tree, changes, 60));
  const seen = inOverlay(machine, at, { lowers: ["store/upper", "base"], upper: "ram", options }, (tree) => {
    applyChanges(tree, changes, overlay.changes);
    const before = snapshot(tree);
    const order = { upper: at("ram/upper"), branch: at("store/upper"), lowers: [at("base")], scope: overlay.scope };
    const { unstable, changes: made } = syncBranch(machine, order, SILENT);
    const repeated = syncBranch(machine, order, SILENT).changes;
    // What waits for the next boot is planned again.
    const again = made.some(({ isLater }) => isLater) ? [] : repeated;
    return { before, after: snapshot(tree), unstable, again };
  });
  machine.unmount(at("ram"));
  return [
    ...compareWithBranch(machine, at, options, seen.before),
    ...differences(seen.before, seen.after).map((one) => `mounted: ${one}`),
    ...seen.unstable.map((path) => `unstable: ${path}`),
    ...seen.again.map(({ operation }) => `again: ${JSON.stringify(operation)}`),
  ];
}

function compareWithBranch(
  machine: Machine,
  at: (name: string) => string,
  options: string,
  before: ReadonlyMap<string, string>,
) {
  settleBranch(machine, at("store/upper"), SILENT);
  const left = machine.listDirectory(at("store")).filter((name) => name.startsWith(".levain"));
  const after = inOverlay(machine, at, { lowers: ["store/upper", "base"], upper: null, options }, snapshot);
  return [...differences(before, after), ...left.map((name) => `left behind: ${name}`)];
}

interface OverlayMount {
  readonly lowers: readonly string[];
  readonly upper: string | null;
  readonly options: string;
}

export function inOverlay<T>(
  machine: Machine,
  at: (name: string) => string,
  overlay: OverlayMount,
  use: (tree: Tree) => T,
): T {
  const { lowers, upper, options } = overlay;
  const parts = [`lowerdir=${lowers.map(at).join(":")}`];
  if (upper !== null) parts.push(`upperdir=${at(`${upper}/upper`)}`, `workdir=${at(`${upper}/work`)}`);
  if (options !== "") parts.push(options);
  machine.mount({ source: "overlay", target: at("root"), type: "overlay", flags: [], options: parts.join(",") });
  try {
    const tree = machine.openTree(at("root"), "as mounted");
    try {
      return use(tree);
    } finally {
      tree.close();
    }
  } finally {
    machine.unmount(at("root"));
  }
}

export function changeTree(machine: Machine, directory: string, changes: RandomChanges, count: number): void {
  const tree = machine.openTree(directory, "as mounted");
  applyChanges(tree, changes, count);
  tree.close();
}

/** What the kernel refuses, such as a rename of a directory into itself, is left out. */
export function applyChanges(tree: Tree, changes: RandomChanges, count: number): void {
  for (let done = 0; done < count; done++) {
    try {
      changes(tree);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}
