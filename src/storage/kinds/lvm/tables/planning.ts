import type { GroupMember, LogicalVolume, Segment } from "../../../../formats/lvm/volume-group.ts";
import type { GroupIndex } from "./group-index.ts";

/** A word of a table: itself, or the number of a device. */
export type TableWord =
  | string
  /** The device of a physical volume, by its id. */
  | { readonly member: string }
  /** A device that was planned before. `prefix` stands before its number: "meta_device:". */
  | { readonly mapping: string; readonly prefix?: string };

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
  /** True if only other devices use it. */
  readonly isHidden: boolean;
  readonly targets: readonly PlannedTarget[];
}

/** What a volume needs, in the order in which it is created, the volume itself last; or why it is not activated. */
export type VolumePlan = { readonly mappings: readonly PlannedMapping[] } | Refusal;

/** Why a volume is not activated. */
export interface Refusal {
  readonly refusal: string;
  /** True if physical volumes are missing, and nothing else is wrong with it. */
  readonly isLack?: boolean;
}

/** Which physical volumes are missing, and whether a RAID may do without (`rd.lvm.partial`). */
export interface Lack {
  readonly missing: readonly GroupMember[];
  readonly isPartial: boolean;
}

/** What a segment's line may refer to. */
export interface Planning {
  readonly index: GroupIndex;
  /** The volume whose segments are planned. */
  readonly volume: LogicalVolume;
  readonly lack: Lack;
  /** True inside a RAID that does without the physical volumes that are missing. */
  readonly isDegraded: boolean;
  /** Plans a part of the volume first; returns how a table names its device. */
  need(part: Part): TableWord | Refusal;
  /** Plans a device that has no segments of its own. */
  add(made: MadeDevice): TableWord;
}

/** A volume of the group that a table refers to. */
export interface Part {
  readonly name: string;
  /** How lvm2 marks a device that only other devices use: the suffix of its uuid. */
  readonly mark?: string;
  /** True for a layer below a volume, which has the mark in its name too: "vg-pool-tpool". */
  readonly isLayer?: boolean;
  /** True if physical volumes may be missing. */
  readonly isDegraded?: boolean;
}

/** A device below `volume`, whose name and uuid end in `mark`. */
export interface MadeDevice {
  readonly volume: LogicalVolume;
  readonly mark: string;
  readonly target: Omit<PlannedTarget, "startSector">;
  /** Whose id its uuid has; by default the volume's. */
  readonly id?: string;
}

/** A line without its place. `sectors`: its length, if that is not the segment's. */
export type SegmentTarget = Pick<PlannedTarget, "type" | "words"> & { readonly sectors?: number };

/** Makes the target of a segment: its type and words. */
export type PlanSegment = (planning: Planning, segment: Segment) => SegmentTarget | Refusal;

/** True for what is no word of a table. */
export function isRefusal(word: object | string): word is Refusal {
  return typeof word === "object" && "refusal" in word;
}

/** Plans parts in their order. The first refusal ends it: crafted volumes that name each other often would be planned again and again. */
export function needAll(planning: Pick<Planning, "need">, parts: readonly Part[]): readonly TableWord[] | Refusal {
  const words: TableWord[] = [];
  for (const part of parts) {
    const word = planning.need(part);
    if (isRefusal(word)) return word;
    words.push(word);
  }
  return words;
}

/** The refusal of a volume whose metadata contradict themselves. */
export function malformed(what: string): Refusal {
  return { refusal: `its ${what} are malformed` };
}
