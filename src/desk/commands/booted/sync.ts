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
import { JSON_OPTION } from "../../report-rows.ts";
import { writeLine } from "../../standard-output.ts";
import { createTerminalVoice } from "../../terminal-voice.ts";

/** `levain sync [DIR…]`. */
export const syncCommand = command({
  name: "sync",
  description: "Write the changes that are in memory to the persistent layer below them",
  args: {
    "dir...": argument("Directories to sync (default: every directory with changes above a persistent layer)", false),
    "dry-run": flag("List what would change, and change nothing", "n"),
    ...JSON_OPTION,
  },
  examples: {
    "levain sync": "Keep everything that has changed since the boot",
    "levain sync --dry-run /var/log": "Show what would be kept of one directory",
  },
  run: ({ words, has }, machine) => {
    const orders = chooseOrders(machine, words);
    if (has("dry-run")) {
      const changes = orders.flatMap(({ path, order }) => listChanges(path, previewSync(machine, order)));
      if (has("json")) writeLine(JSON.stringify({ changes }, null, 2));
      else for (const { change, path } of changes) writeLine(printable(`${change.padEnd(11)} ${path}`));
      return 0;
    }
    const results = orders.map(({ path, order }) => syncOne(machine, path, order));
    if (has("json")) writeLine(JSON.stringify({ synced: results }, null, 2));
    else for (const result of results) writeLine(describeResult(result).join("\n"));
    return results.every(({ unstable }) => unstable.length === 0) ? 0 : 1;
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
      writeLine(`${printable(overlay.path)}: the persistent layer ${fate}`);
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

/** Says which files changed again and again while they were copied. */
function syncOne(machine: Machine, path: string, order: SyncOrder) {
  const voice = createTerminalVoice(process.stderr);
  try {
    const { changes, unstable } = syncBranch(machine, order, voice);
    for (const file of unstable) {
      voice.warn(
        `${printable(pathOf(path, file))} changed each time it was copied: the persistent layer has it as it was before`,
      );
    }
    return {
      path,
      changes: changes.filter(({ operation }) => !isDetail(operation)).length,
      isCompletedAtBoot: changes.some(({ isLater }) => isLater),
      unstable: unstable.map((file) => pathOf(path, file)),
    };
  } finally {
    voice.close();
  }
}

function describeResult({ path, changes, isCompletedAtBoot }: ReturnType<typeof syncOne>): readonly string[] {
  const count = changes === 1 ? "1 change" : `${changes} changes`;
  return [
    `${printable(path)}: ${count} written to the persistent layer`,
    ...(isCompletedAtBoot ? ["some of them are completed at the next boot"] : []),
  ];
}

/** True for what belongs to another change of the same entry, or follows from changes in a directory. */
function isDetail({ kind }: SyncPlan["operations"][number]["operation"]): boolean {
  return kind === "time" || kind === "more attributes";
}

/** Returns what a sync would do with each entry. */
function listChanges(path: string, { items, operations }: SyncPlan) {
  return operations.flatMap(({ operation }) => {
    if (isDetail(operation)) return [];
    const isRemoval =
      operation.kind === "remove" || (operation.kind === "place" && items[operation.item]?.kind === "whiteout");
    const change = isRemoval ? "remove" : operation.kind.replace("place", "write");
    return [{ change, path: pathOf(path, operation.path) }];
  });
}

/** Returns the path of an entry in the booted system. */
function pathOf(path: string, inside: string): string {
  return `${path === "/" ? "" : path}/${Buffer.from(inside, "latin1").toString()}`;
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
