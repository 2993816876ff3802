import type { LogicalVolume, VolumeGroup } from "../../../../formats/lvm/volume-group.ts";
import { type GroupIndex, indexGroup } from "./group-index.ts";
import { mappingName, mappingUuid } from "./names.ts";
import {
  isRefusal,
  type Lack,
  malformed,
  type Part,
  type PlannedMapping,
  type PlannedTarget,
  type Planning,
  type Refusal,
  type TableWord,
  type VolumePlan,
} from "./planning.ts";
import { SEGMENTS } from "./segments.ts";
import { planOrigin, planSnapshot } from "./snapshots.ts";

/** A chain of volumes is a few long: a snapshot of a thin volume on RAID with integrity has seven. */
const MOST_LEVELS = 12;
const COMPLETE: Lack = { missing: [], isPartial: false };

/** Plans the device-mapper tables of a volume, as lvm2 makes them (`vgchange -ay`, `dmsetup table`). */
export function planVolume(group: VolumeGroup, volume: LogicalVolume, lack = COMPLETE): VolumePlan {
  const index = indexGroup(group);
  const planned = new Map<string, PlannedMapping>();
  const lacking = new Map<string, Refusal>();
  const underWay: string[] = [];

  function need({ name, mark = "", isLayer = false, isDegraded = false }: Part): TableWord | Refusal {
    const one = index.volumes.get(name);
    if (one === undefined) return { refusal: `its part ${name} is missing` };
    const mapping = mappingName(group.name, name, ...(isLayer ? [mark] : []));
    const key = `${mapping} ${isDegraded}`;
    if (planned.has(mapping)) return { mapping };
    if (underWay.includes(mapping) || underWay.length >= MOST_LEVELS)
      return { refusal: "its parts contain each other" };
    underWay.push(mapping);
    const targets = lacking.get(key) ?? planTargets(one, mark, isDegraded);
    underWay.pop();
    if ("refusal" in targets) {
      if (targets.isLack === true) lacking.set(key, targets);
      return targets;
    }
    planned.set(mapping, { name: mapping, ...describeDevice(index, one, mark), targets });
    return { mapping };
  }

  function planTargets(one: LogicalVolume, mark: string, isDegraded: boolean): readonly PlannedTarget[] | Refusal {
    const planning: Planning = {
      index,
      volume: one,
      lack,
      isDegraded,
      need: (part) => need({ ...part, isDegraded: part.isDegraded ?? isDegraded }),
      add({ volume: below, mark: suffix, target, id = below.id }) {
        const name = mappingName(group.name, below.name, suffix);
        const targets = [{ startSector: 0, ...target }];
        const uuid = mappingUuid(group, { id }, suffix);
        planned.set(name, { name, uuid, readOnly: false, isHidden: true, targets });
        return { mapping: name };
      },
    };
    const whole = mark === "" ? (planSnapshot(planning) ?? planOrigin(planning)) : null;
    return whole ?? planSegments(planning);
  }

  // A snapshot must not be active without its origin, nor without the other snapshots of that.
  const result = need({ name: index.snapshots.get(volume.name)?.origin ?? volume.name });
  if (isRefusal(result)) return result;
  const own = planned.get(mappingName(group.name, volume.name));
  const others = [...planned.values()].filter((one) => one !== own);
  return own === undefined ? malformed("snapshots") : { mappings: [...others, own] };
}

function describeDevice({ group, snapshots }: GroupIndex, one: LogicalVolume, mark: string) {
  return {
    uuid: mappingUuid(group, one, mark),
    readOnly: mark !== "cow" && (isReadOnly(group) || isReadOnly(one)),
    isHidden: mark !== "" || !(one.status.includes("VISIBLE") || snapshots.has(one.name)),
  };
}

function planSegments(planning: Planning): readonly PlannedTarget[] | Refusal {
  const { extentSectors } = planning.index.group;
  const targets: PlannedTarget[] = [];
  for (const segment of planning.volume.segments) {
    // "cache-pool+METADATA_FORMAT": what follows the sign tells an older lvm2 that it cannot read the fields.
    const [type = ""] = segment.type.split("+");
    const plan = Object.hasOwn(SEGMENTS, type) ? SEGMENTS[type] : undefined;
    const target = plan?.(planning, segment) ?? { refusal: `its type, ${segment.type}, is not supported` };
    if ("refusal" in target) return target;
    const sectors = segment.extents * extentSectors;
    targets.push({ startSector: segment.startExtent * extentSectors, sectors, ...target });
  }
  return targets.length > 0 ? targets : { refusal: "it has no segments" };
}

function isReadOnly({ status }: { readonly status: readonly string[] }): boolean {
  return !status.includes("WRITE");
}
