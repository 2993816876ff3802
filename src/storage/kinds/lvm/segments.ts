import type { Segment } from "../../../formats/lvm/volume-group.ts";
import { countOf, isRefusal, type Planning, type PlanSegment, type Refusal, type TableWord } from "./planning.ts";
import { planRaid, RAID_TYPES } from "./raid.ts";

const malformed = (what: string): Refusal => ({ refusal: `its ${what} are malformed` });

const planStriped: PlanSegment = (planning, { extents, fields }) => {
  const areas = readAreas(planning, fields.get("stripes"));
  if ("refusal" in areas) return areas;
  const [stripe, count] = [fields.get("stripe_size"), areas.length / 2];
  if (count === 0 || count !== fields.get("stripe_count")) return malformed("stripes");
  if (count === 1) return { type: "linear", words: areas };
  if (typeof stripe !== "number" || stripe <= 0 || extents % count !== 0) return malformed("stripes");
  return { type: "striped", words: [String(count), String(stripe), ...areas] };
};

/** MAX_STRIPES of lvm2 (lib/metadata/metadata-exported.h). */
const MOST_STRIPES = 128;

/** Reads pairs of a physical volume, or a volume, and an extent of it; as a device and a sector. */
function readAreas({ group, need }: Planning, value: unknown): readonly TableWord[] | Refusal {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (list.length > 2 * MOST_STRIPES) return malformed("stripes");
  const words: TableWord[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [key, extent] = [list[at], list[at + 1]];
    if (typeof key !== "string" || typeof extent !== "number" || !Number.isSafeInteger(extent) || extent < 0)
      return malformed("stripes");
    const member = group.physicalVolumes.find((one) => one.key === key);
    const device = member === undefined ? need(key) : { member: member.id };
    if (isRefusal(device)) return device;
    words.push(device, String((member?.startSector ?? 0) + extent * group.extentSectors));
  }
  return words;
}

/** A pool's features, in the order in which the kernel shows them. */
const DISCARDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["ignore", ["ignore_discard"]],
  ["nopassdown", ["no_discard_passdown"]],
]);

const planThinPool: PlanSegment = ({ need }, { fields }) => {
  const [metadata, data] = [need(textOf(fields, "metadata"), "tmeta"), need(textOf(fields, "pool"), "tdata")];
  if (isRefusal(metadata)) return metadata;
  if (isRefusal(data)) return data;
  const chunk = fields.get("data_block_size");
  if (typeof chunk !== "number" || chunk <= 0) return malformed("chunks");
  const features = [
    ...(fields.get("zero_new_blocks") === 1 ? [] : ["skip_block_zeroing"]),
    ...(DISCARDS.get(textOf(fields, "discards")) ?? []),
    ...(fields.get("error_when_full") === 1 ? ["error_if_no_space"] : []),
  ];
  const lowWater = countOf(fields, "low_water_mark", 0);
  return {
    type: "thin-pool",
    words: [metadata, data, String(chunk), String(lowWater), String(features.length), ...features],
  };
};

const planThin: PlanSegment = ({ need }, { fields }) => {
  if (fields.has("external_origin")) return { refusal: "a thin volume with an external origin is not supported yet" };
  const [pool, id] = [need(textOf(fields, "thin_pool"), "tpool"), fields.get("device_id")];
  if (isRefusal(pool)) return pool;
  return typeof id === "number" ? { type: "thin", words: [pool, String(id)] } : malformed("numbers");
};

function textOf(fields: Segment["fields"], name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}

/** THE table of segments: what levain activates, by LVM's name of the type. */
export const SEGMENTS: Readonly<Record<string, PlanSegment>> = {
  striped: planStriped,
  ...Object.fromEntries(RAID_TYPES.map((type) => [type, planRaid])),
  "thin-pool": planThinPool,
  thin: planThin,
};
