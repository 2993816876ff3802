import type { GroupMember } from "../../../../formats/lvm/volume-group.ts";
import { formatBytes } from "../../../../problems/size.ts";
import { planCache, planWritecache } from "./caches.ts";
import { countOf } from "./fields.ts";
import { planIntegrity } from "./integrity.ts";
import { isRefusal, malformed, type Planning, type PlanSegment, type Refusal, type TableWord } from "./planning.ts";
import { planRaid, RAID_TYPES } from "./raid.ts";
import { planThin, planThinPool } from "./thin.ts";

const planStriped: PlanSegment = (planning, segment) => {
  const { extents, fields } = segment;
  const areas = readAreas(planning, fields.get("stripes"), planning.volume.segments.indexOf(segment), extents);
  if ("refusal" in areas) return areas;
  const [stripe, count] = [countOf(fields, "stripe_size", 0), areas.length / 2];
  if (count === 0 || count !== fields.get("stripe_count")) return malformed("stripes");
  if (count === 1) return { type: "linear", words: areas };
  if (stripe === 0 || extents % count !== 0) return malformed("stripes");
  return { type: "striped", words: [String(count), String(stripe), ...areas] };
};

/** Plans the mirrors of before dm-raid, each with a log of what is equal on all: on a disk, or in memory. */
const planMirror: PlanSegment = (planning, segment) => {
  const { extents, fields } = segment;
  // pvmove leaves volumes on such a mirror while it runs, and continues it in the real system.
  if (planning.volume.status.includes("PVMOVE")) return { refusal: "pvmove is moving a part of it" };
  const areas = readAreas(planning, fields.get("mirrors"), planning.volume.segments.indexOf(segment), extents);
  if ("refusal" in areas) return areas;
  const count = areas.length / 2;
  const region = countOf(fields, "region_size", 0);
  if (count === 0 || count !== fields.get("mirror_count") || region === 0) return malformed("mirrors");
  const log = fields.get("mirror_log");
  const device = typeof log === "string" ? planning.need({ name: log }) : null;
  if (device !== null && isRefusal(device)) return device;
  const isUnsynced = planning.volume.status.includes("NOTSYNCED");
  const counted = [...(device === null ? [] : [device]), String(region), ...(isUnsynced ? ["nosync"] : [])];
  const kind = device === null ? "core" : "disk";
  return {
    type: "mirror",
    words: [kind, String(counted.length), ...counted, String(count), ...areas, "1", "handle_errors"],
  };
};

/** MAX_STRIPES of lvm2 (lib/metadata/metadata-exported.h). */
const MOST_STRIPES = 128;

/** Reads pairs of a physical volume, or a volume, and an extent of it; as a device and a sector. */
function readAreas(
  planning: Planning,
  value: unknown,
  segment: number,
  extents: number,
): readonly TableWord[] | Refusal {
  const { group } = planning.index;
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (list.length > 2 * MOST_STRIPES) return malformed("stripes");
  const words: TableWord[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [key, extent] = [list[at], list[at + 1]];
    if (typeof key !== "string" || typeof extent !== "number" || !Number.isSafeInteger(extent) || extent < 0)
      return malformed("stripes");
    const member = group.physicalVolumes.find((one) => one.key === key);
    const isMissing = member !== undefined && planning.lack.missing.includes(member);
    const sectors = (extents * group.extentSectors * 2) / list.length;
    const device = isMissing ? replaceMissing(planning, `${segment}_${at / 2}`, sectors) : findArea(planning, key);
    if (isRefusal(device)) return device;
    words.push(device, String(isMissing ? 0 : (member?.startSector ?? 0) + extent * group.extentSectors));
  }
  return words;
}

function findArea({ index, need }: Planning, key: string): TableWord | Refusal {
  const member = index.group.physicalVolumes.find((one) => one.key === key);
  return member === undefined ? need({ name: key }) : { member: member.id };
}

/** lvm2 has each access to a missing physical volume fail, so that dm-raid sees a disk that is broken. */
function replaceMissing({ volume, lack, isDegraded, add }: Planning, place: string, sectors: number) {
  if (!isDegraded) return describeLack(lack.missing);
  return add({ volume, mark: `missing_${place}`, target: { sectors, type: "error", words: [] } });
}

function describeLack(missing: readonly GroupMember[]): Refusal {
  const names = missing.map(({ id, sectors }) => `${id}${sectors > 0 ? ` (${formatBytes(sectors * 512)})` : ""}`);
  return { refusal: `the physical volume ${names.join(" and ")} is missing`, isLack: true };
}

/** THE table of segments: what levain activates, by LVM's name of the type. */
export const SEGMENTS: Readonly<Record<string, PlanSegment>> = {
  striped: planStriped,
  mirror: planMirror,
  ...Object.fromEntries(RAID_TYPES.map((type) => [type, planRaid])),
  "thin-pool": planThinPool,
  thin: planThin,
  cache: planCache,
  writecache: planWritecache,
  integrity: planIntegrity,
  // The kernel has dm-vdo since 6.9, and its table needs what lvm2 reads from VDO's own superblock.
  vdo: () => ({ refusal: "VDO is not supported: boot with the initramfs of the distribution" }),
};
