import type { LogicalVolume, Segment, VolumeGroup } from "../../../../formats/lvm/volume-group.ts";
import { countOf, textOf } from "./fields.ts";

/** A snapshot that is not thin: where it keeps what has changed since. */
export interface Snapshot {
  /** The volume with its data, whose name is that of the snapshot. */
  readonly store: string;
  readonly origin: string;
  /** Sectors. */
  readonly chunk: number;
  /** True if the origin gets the state of the snapshot back (`lvconvert --merge`). */
  readonly isMerging: boolean;
}

/** A volume group with what its volumes are of each other: it may have thousands. */
export interface GroupIndex {
  readonly group: VolumeGroup;
  readonly volumes: ReadonlyMap<string, LogicalVolume>;
  /** By the volume with their data. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** By their origin. */
  readonly snapshotsOf: ReadonlyMap<string, readonly Snapshot[]>;
  /** The volumes outside a thin pool that thin volumes show where nothing has been written to them. */
  readonly externalOrigins: ReadonlySet<string>;
  /** The thin volumes that get the state of a snapshot back. */
  readonly mergingThin: ReadonlySet<string>;
}

const known = new WeakMap<VolumeGroup, GroupIndex>();

/** Returns the index of a group, which is made once. */
export function indexGroup(group: VolumeGroup): GroupIndex {
  const index = known.get(group) ?? createIndex(group);
  known.set(group, index);
  return index;
}

function createIndex(group: VolumeGroup): GroupIndex {
  const segments = group.volumes.flatMap((volume) => volume.segments);
  const snapshots = segments.flatMap((segment) => snapshotOf(segment) ?? []);
  const named = (type: string, field: string) =>
    new Set(segments.flatMap((segment) => (segment.type === type ? textOf(segment.fields, field) : []) || []));
  return {
    group,
    volumes: new Map(group.volumes.map((volume) => [volume.name, volume])),
    snapshots: new Map(snapshots.map((snapshot) => [snapshot.store, snapshot])),
    snapshotsOf: Map.groupBy(snapshots, ({ origin }) => origin),
    externalOrigins: named("thin", "external_origin"),
    mergingThin: named("thin", "merge"),
  };
}

/** lib/snapshot/snapshot.c of lvm2. */
function snapshotOf({ type, fields }: Segment): Snapshot | null {
  if (type !== "snapshot") return null;
  const isMerging = fields.has("merging_store");
  const store = textOf(fields, isMerging ? "merging_store" : "cow_store");
  return { store, origin: textOf(fields, "origin"), chunk: countOf(fields, "chunk_size", 0), isMerging };
}

/** Lists the volumes that have a name of their own and may hold something themselves; the others are parts of them. */
export function listVolumes(group: VolumeGroup): readonly LogicalVolume[] {
  const { snapshots } = indexGroup(group);
  return group.volumes.filter(({ name, status, segments }) => {
    const snapshot = snapshots.get(name);
    if (snapshot !== undefined) return !snapshot.isMerging;
    return status.includes("VISIBLE") && !segments.some(({ type }) => NAMELESS.test(type));
  });
}

/** A thin pool has volumes but no content; "snapshot0" only says which volume is a snapshot of which. */
const NAMELESS = /^(?:thin-pool|snapshot|cache-pool|vdo-pool)(?:\+|$)/;

/** True for a volume that shows what another one contains, or contained: it is no root that a label means. */
export function isSnapshot(group: VolumeGroup, { name }: Pick<LogicalVolume, "name">): boolean {
  return indexGroup(group).snapshots.has(name);
}

/** True for an origin that gets the state of a snapshot back as soon as it is active, and for its snapshots, which are activated with it. */
export function isMergeTarget(group: VolumeGroup, { name }: Pick<LogicalVolume, "name">): boolean {
  const { snapshots, snapshotsOf } = indexGroup(group);
  const origin = snapshots.get(name)?.origin ?? name;
  return snapshotsOf.get(origin)?.some(({ isMerging }) => isMerging) ?? false;
}
