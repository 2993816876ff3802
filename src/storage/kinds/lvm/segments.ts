import { isRefusal, type Planning, type PlanSegment, type Refusal, type TableWord } from "./planning.ts";

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

/** Reads pairs of a physical volume, or a volume, and an extent of it; as a device and a sector. */
function readAreas({ group, need }: Planning, value: unknown): readonly TableWord[] | Refusal {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
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

/** THE table of segments: what levain activates, by LVM's name of the type. */
export const SEGMENTS: Readonly<Record<string, PlanSegment>> = {
  striped: planStriped,
};
