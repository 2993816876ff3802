import type { LogicalVolume } from "../../../../formats/lvm/volume-group.ts";
import type { Snapshot } from "./group-index.ts";
import { isRefusal, malformed, needAll, type PlannedTarget, type Planning, type Refusal } from "./planning.ts";

/** What planOrigin and planSnapshot return: null for a volume of another kind. */
type Targets = readonly PlannedTarget[] | Refusal | null;

/**
 * Plans the origin of snapshots that are not thin (dm-snapshot), with all of them: what is written to it has to be kept for
 * each. Also a volume that is the external origin of thin ones: lvm2 puts a layer below it.
 */
export function planOrigin(planning: Planning): Targets {
  const { volume, index } = planning;
  const snapshots = index.snapshotsOf.get(volume.name);
  if (snapshots === undefined && !index.externalOrigins.has(volume.name)) return null;
  const real = planning.need({ name: volume.name, mark: "real", isLayer: true });
  if (isRefusal(real)) return real;
  const sectors = countSectors(planning, volume);
  if (snapshots === undefined) return [{ startSector: 0, sectors, type: "linear", words: [real, "0"] }];
  const others = needAll(
    planning,
    snapshots.map(({ store }) => ({ name: store })),
  );
  if ("refusal" in others) return others;
  const merging = snapshots.find(({ isMerging }) => isMerging);
  if (merging !== undefined) return planStore(planning, merging, "snapshot-merge", sectors);
  return [{ startSector: 0, sectors, type: "snapshot-origin", words: [real] }];
}

/** Plans a snapshot, after its origin and the other snapshots of that. */
export function planSnapshot(planning: Planning): Targets {
  const { volume, index } = planning;
  const snapshot = index.snapshots.get(volume.name);
  const origin = index.volumes.get(snapshot?.origin ?? "");
  if (snapshot === undefined) return null;
  if (origin === undefined) return malformed("snapshots");
  const sectors = countSectors(planning, origin);
  // What is being merged is no snapshot any more, but lvm2 expects a device of its name.
  if (snapshot.isMerging) return [{ startSector: 0, sectors, type: "error", words: [] }];
  return planStore(planning, snapshot, "snapshot", sectors);
}

function planStore(
  { need }: Planning,
  { origin, store, chunk }: Snapshot,
  type: string,
  sectors: number,
): readonly PlannedTarget[] | Refusal {
  if (chunk === 0) return malformed("snapshots");
  const devices = needAll({ need }, [
    { name: origin, mark: "real", isLayer: true },
    { name: store, mark: "cow", isLayer: true },
  ]);
  if ("refusal" in devices) return devices;
  return [{ startSector: 0, sectors, type, words: [...devices, "P", String(chunk)] }];
}

function countSectors({ index }: Planning, { segments }: LogicalVolume): number {
  const last = segments.at(-1);
  return last === undefined ? 0 : (last.startExtent + last.extents) * index.group.extentSectors;
}
