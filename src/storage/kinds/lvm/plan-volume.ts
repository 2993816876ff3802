import type { LogicalVolume, Segment, VolumeGroup } from "../../../formats/lvm/volume-group.ts";
import { mappingName, mappingUuid } from "./names.ts";

/** A word of a table: itself, or the number of a device. */
export type TableWord =
  | string
  /** The device of a physical volume, by its id. */
  | { readonly member: string }
  /** A device that was planned before. */
  | { readonly mapping: string };

/** One line of a planned table. */
export interface PlannedTarget {
  readonly startSector: number;
  readonly sectors: number;
  readonly type: string;
  readonly words: readonly TableWord[];
}

/** A device to create. */
export interface PlannedMapping {
  readonly name: string;
  readonly uuid: string;
  readonly readOnly: boolean;
  readonly targets: readonly PlannedTarget[];
}

/** What a volume needs, in the order in which it is created, the volume itself last; or why it is not activated. */
export type VolumePlan = { readonly mappings: readonly PlannedMapping[] } | { readonly refusal: string };

/** Plans the device-mapper tables of a volume, as lvm2 makes them (`vgchange -ay`, `dmsetup table`). */
export function planVolume(group: VolumeGroup, volume: LogicalVolume): VolumePlan {
  const targets: PlannedTarget[] = [];
  for (const segment of volume.segments) {
    const target = planSegment(group, segment);
    if (typeof target === "string") return { refusal: target };
    targets.push(target);
  }
  if (targets.length === 0) return { refusal: "it has no segments" };
  return {
    mappings: [
      {
        name: mappingName(group.name, volume.name),
        uuid: mappingUuid(group, volume),
        readOnly: isReadOnly(group) || isReadOnly(volume),
        targets,
      },
    ],
  };
}

/** True for a volume that has a name of its own; the others are parts of it. */
export function isVisible({ status }: Pick<LogicalVolume, "status">): boolean {
  return status.includes("VISIBLE");
}

/** Lists the physical volumes that a plan uses, by their ids. */
export function listMembers(mappings: readonly PlannedMapping[]): readonly string[] {
  const words = mappings.flatMap(({ targets }) => targets).flatMap(({ words: list }) => list);
  return [...new Set(words.flatMap((word) => (typeof word === "object" && "member" in word ? word.member : [])))];
}

function isReadOnly({ status }: { readonly status: readonly string[] }): boolean {
  return !status.includes("WRITE");
}

/** Returns the line of a segment, or why there is none. */
function planSegment(group: VolumeGroup, { startExtent, extents, type, fields }: Segment): PlannedTarget | string {
  if (type !== "striped") return `its type, ${type}, is not supported yet`;
  const areas = readAreas(group, fields.get("stripes"));
  if (areas === null || areas.length === 0 || areas.length !== fields.get("stripe_count"))
    return "its stripes are malformed";
  const range = { startSector: startExtent * group.extentSectors, sectors: extents * group.extentSectors };
  if (areas.length === 1) return { ...range, type: "linear", words: areas.flat() };
  const stripe = fields.get("stripe_size");
  const isDivisible = typeof stripe === "number" && stripe > 0 && extents % areas.length === 0;
  if (!isDivisible) return "its stripes are malformed";
  return { ...range, type: "striped", words: [String(areas.length), String(stripe), ...areas.flat()] };
}

/** Reads pairs of a physical volume and an extent on it; null if they are malformed. */
function readAreas(group: VolumeGroup, value: unknown): readonly (readonly [TableWord, string])[] | null {
  if (!Array.isArray(value) || value.length % 2 !== 0) return null;
  const areas = Array.from({ length: value.length / 2 }, (_, index) => {
    const [key, extent] = [value[index * 2], value[index * 2 + 1]];
    const member = group.physicalVolumes.find((one) => one.key === key);
    const isExtent = Number.isSafeInteger(extent) && extent >= 0;
    if (member === undefined || !isExtent) return null;
    return [{ member: member.id }, String(member.startSector + extent * group.extentSectors)] as const;
  });
  const read = areas.filter((area) => area !== null);
  return read.length === areas.length ? read : null;
}
