import type { LogicalVolume, Segment, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import { mappingName, mappingUuid } from "./names.ts";
import {
  isRefusal,
  type Mark,
  type PlannedMapping,
  type PlannedTarget,
  type Planning,
  type Refusal,
  type TableWord,
  type VolumePlan,
} from "./planning.ts";
import { SEGMENTS } from "./segments.ts";

/** A chain of volumes is a few long: a thin pool on RAID has four. */
const MOST_LEVELS = 8;

/** Plans the device-mapper tables of a volume, as lvm2 makes them (`vgchange -ay`, `dmsetup table`). */
export function planVolume(group: VolumeGroup, volume: LogicalVolume): VolumePlan {
  const planned = new Map<string, PlannedMapping>();
  const underWay: string[] = [];

  function need(name: string, mark: Mark = ""): TableWord | Refusal {
    const other = group.volumes.find((one) => one.name === name);
    return other === undefined ? { refusal: `its part ${name} is missing` } : planOne(other, mark);
  }

  function planOne(one: LogicalVolume, mark: Mark): TableWord | Refusal {
    const mapping = mappingName(group.name, one.name, ...(mark === "tpool" ? [mark] : []));
    if (planned.has(mapping)) return { mapping };
    if (underWay.includes(mapping) || underWay.length >= MOST_LEVELS)
      return { refusal: "its parts contain each other" };
    if (hasSnapshot(group, one)) return { refusal: "it has snapshots, which are not supported yet" };
    underWay.push(mapping);
    const targets = planTargets({ group, need }, one);
    underWay.pop();
    if ("refusal" in targets) return targets;
    const readOnly = isReadOnly(group) || isReadOnly(one);
    planned.set(mapping, { name: mapping, uuid: mappingUuid(group, one, mark), readOnly, targets });
    return { mapping };
  }

  if (volume.segments.some(({ type }) => type === "thin-pool")) return { refusal: "it is a thin pool" };
  const result = planOne(volume, "");
  if (isRefusal(result)) return result;
  return { mappings: [...planned.values()] };
}

/** True for the origin of a snapshot that is not thin: what is written to it has to be kept for the snapshot first (dm-snapshot). */
function hasSnapshot(group: VolumeGroup, { name }: LogicalVolume): boolean {
  const isOf = ({ type, fields }: Segment) => type === "snapshot" && fields.get("origin") === name;
  return group.volumes.some(({ segments }) => segments.some(isOf));
}

function planTargets(planning: Planning, volume: LogicalVolume): readonly PlannedTarget[] | Refusal {
  const { extentSectors } = planning.group;
  const targets: PlannedTarget[] = [];
  for (const segment of volume.segments) {
    const { startExtent, extents, type } = segment;
    const plan = Object.hasOwn(SEGMENTS, type) ? SEGMENTS[type] : undefined;
    const target = plan?.(planning, segment) ?? { refusal: `its type, ${type}, is not supported yet` };
    if ("refusal" in target) return target;
    targets.push({ startSector: startExtent * extentSectors, sectors: extents * extentSectors, ...target });
  }
  return targets.length > 0 ? targets : { refusal: "it has no segments" };
}

/** True for a volume that has a name of its own; the others are parts of it. */
export function isVisible({ status }: Pick<LogicalVolume, "status">): boolean {
  return status.includes("VISIBLE");
}

/** True for a volume that may hold something itself. */
export function isVolume(volume: Pick<LogicalVolume, "status" | "segments">): boolean {
  return isVisible(volume) && !volume.segments.some(({ type }) => type === "thin-pool");
}

/** Lists the physical volumes that a plan uses, by their ids. */
export function listMembers(mappings: readonly PlannedMapping[]): readonly string[] {
  const words = mappings.flatMap(({ targets }) => targets).flatMap(({ words: list }) => list);
  return [...new Set(words.flatMap((word) => (typeof word === "object" && "member" in word ? word.member : [])))];
}

function isReadOnly({ status }: { readonly status: readonly string[] }): boolean {
  return !status.includes("WRITE");
}
