import type { Segment, VolumeGroup } from "../../../formats/lvm/volume-group.ts";

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

/** Why a segment has no line. */
export interface Refusal {
  readonly refusal: string;
}

/** What a segment's line may refer to. */
export interface Planning {
  readonly group: VolumeGroup;
  /** Plans another volume of the group first; returns how a table names its device. `mark` is the suffix of its uuid. */
  need(volume: string, mark?: Mark): TableWord | Refusal;
}

/** How lvm2 marks a device that only other devices use; a thin pool's has it in its name too. */
export type Mark = "" | "tmeta" | "tdata" | "tpool";

/** Makes the target of a segment: its type and words. */
export type PlanSegment = (
  planning: Planning,
  segment: Segment,
) => { readonly type: string; readonly words: readonly TableWord[] } | Refusal;

/** True for what is no word of a table. */
export function isRefusal(word: TableWord | Refusal): word is Refusal {
  return typeof word === "object" && "refusal" in word;
}

/** Returns a number of a segment; `fallback` if it has none, or a text: that could contain further words of the table, and name any device. */
export function countOf(fields: Segment["fields"], name: string, fallback: number): number {
  const value = fields.get(name);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
}
