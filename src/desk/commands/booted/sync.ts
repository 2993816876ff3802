import { realpathSync } from "node:fs";
import type { Machine } from "../../../machine/machine.ts";
import { problem } from "../../../problems/problem.ts";
import { printable } from "../../../problems/report.ts";
import { branchOf } from "../../../stack/sync/journal.ts";
import { findOverlayOf, findStoredOverlays, type StoredOverlay } from "../../../stack/sync/overlays.ts";
import type { SyncPlan } from "../../../stack/sync/plan-sync.ts";
import { requestReset, splitPlace } from "../../../stack/sync/settle.ts";
import { openWritable, previewSync, type SyncOrder, syncBranch } from "../../../stack/sync/sync.ts";
import { argument, command, flag, option } from "../../command-line.ts";
import { attempt } from "../../host.ts";
import { createTerminalVoice } from "../../terminal-voice.ts";

/** `levain sync [DIR…]`. */
export const syncCommand = command({
  name: "sync",
  description: "Write the changes that are in memory to the persistent layer below them",
  args: {
    "dir...": argument("Directories to sync (default: every directory with changes above a persistent layer)", false),
    "dry-run": flag("List what would change, and change nothing", "n"),
  },
  examples: {
    "levain sync": "Keep everything that has changed since the boot",
    "levain sync --dry-run /var/log": "Show what would be kept of one directory",
  },
  run: ({ words, has }, machine) => {
    const orders = chooseOrders(machine, words);
    let status = 0;
    for (const { path, order } of orders) {
      if (has("dry-run")) for (const line of describePlan(path, previewSync(machine, order))) console.log(line);
      else if (!syncOne(machine, path, order)) status = 1;
    }
    return status;
  },
});

/** `levain factory-reset`. */
export const factoryResetCommand = command({
  name: "factory-reset",
  description: "Discard everything in the persistent layers at the next boot",
  args: { keep: option("PATH", "A file or directory to keep; may be given several times") },
  examples: {
    "levain factory-reset": "Return to the system as it was installed",
    "levain factory-reset --keep /etc/hostname": "The same, with one file as it is now in the persistent layer",
  },
  run: ({ all }, machine) => {
    const overlays = findStoredOverlays(machine);
    if (overlays.length === 0) throw problem("sync-no-branch", { path: null });
    const kept = all("keep").map((path) => ({ path, place: findPlace(machine, overlays, path) }));
    for (const overlay of overlays) {
      const keep = kept.flatMap(({ place }) => (place.overlay === overlay ? place.scope : []));
      noteReset(machine, overlay, keep);
      const fate = keep.includes("") ? "is kept" : "will be emptied at the next boot";
      console.log(`${printable(overlay.path)}: the persistent layer ${fate}`);
    }
    return 0;
  },
});

interface NamedOrder {
  readonly path: string;
  readonly order: SyncOrder;
}

function chooseOrders(machine: Machine, directories: readonly string[]): readonly NamedOrder[] {
  const overlays = findStoredOverlays(machine);
  const places =
    directories.length === 0
      ? overlays.map((overlay) => ({ overlay, scope: "" }))
      : directories.map((directory) => findPlace(machine, overlays, directory));
  const orders = places.flatMap(({ overlay: { path, branch, layers }, scope }) =>
    layers === null ? [] : [{ path, order: { ...layers, branch, scope } }],
  );
  if (orders.length === 0) throw problem("sync-no-branch", { path: directories[0] ?? null });
  return orders;
}

function findPlace(machine: Machine, overlays: readonly StoredOverlay[], path: string) {
  const real = attempt(`cannot find ${printable(path)}`, () => realpathSync(path));
  const place = findOverlayOf(machine, overlays, real);
  if (place === null) throw problem("sync-no-branch", { path });
  return place;
}

/** Returns false if files changed again and again while they were copied. */
function syncOne(machine: Machine, path: string, order: SyncOrder): boolean {
  const voice = createTerminalVoice(process.stderr);
  try {
    const { changes, unstable } = syncBranch(machine, order, voice);
    const count = changes.filter(({ operation }) => !isDetail(operation)).length;
    console.log(`${printable(path)}: ${count === 1 ? "1 change" : `${count} changes`} written to the persistent layer`);
    if (changes.some(({ isLater }) => isLater)) console.log("some of them are completed at the next boot");
    for (const file of unstable) {
      voice.warn(`${shown(path, file)} changed each time it was copied: the persistent layer has it as it was before`);
    }
    return unstable.length === 0;
  } finally {
    voice.close();
  }
}

/** True for what belongs to another change of the same entry, or follows from changes in a directory. */
function isDetail({ kind }: SyncPlan["operations"][number]["operation"]): boolean {
  return kind === "time" || kind === "more attributes";
}

/** Returns a line for each entry that a sync would change. */
export function describePlan(path: string, { items, operations }: SyncPlan): readonly string[] {
  return operations.flatMap(({ operation }) => {
    if (isDetail(operation)) return [];
    const isRemoval =
      operation.kind === "remove" || (operation.kind === "place" && items[operation.item]?.kind === "whiteout");
    return [
      `${(isRemoval ? "remove" : operation.kind.replace("place", "write")).padEnd(11)} ${shown(path, operation.path)}`,
    ];
  });
}

/** Returns the path of an entry for the terminal. */
function shown(path: string, inside: string): string {
  const name = Buffer.from(inside, "latin1").toString();
  return printable(`${path === "/" ? "" : path}/${name}`);
}

function noteReset(machine: Machine, { branch }: StoredOverlay, keep: readonly string[]): void {
  const [parent, name] = splitPlace(branch);
  const tree = openWritable(machine, parent);
  try {
    requestReset(branchOf(tree, name), keep);
  } finally {
    tree.close();
  }
}
