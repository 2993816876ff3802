import type { LogicalVolume, Segment } from "../../../../formats/lvm/volume-group.ts";
import { countOf, textOf } from "./fields.ts";
import {
  isRefusal,
  malformed,
  needAll,
  type Planning,
  type PlanSegment,
  type Refusal,
  type TableWord,
} from "./planning.ts";

const MODES = ["writethrough", "writeback", "passthrough"];
/** The kernel's policies: "mq" and "smq" are one. */
const POLICIES = ["smq", "mq", "cleaner"];
/** Sectors: what dm-cache moves at once by default. */
const DEFAULT_THRESHOLD = 2048;
/** What lvm2 demands of it, as chunks (libdm-deptree.c). */
const LEAST_CHUNKS = 8;

/** Plans dm-cache (Documentation/admin-guide/device-mapper/cache.rst), with a cache pool or a volume that holds data and metadata. Whether it is dirty, the kernel finds out. */
export const planCache: PlanSegment = (planning, segment) => {
  const pool = planning.index.volumes.get(textOf(segment.fields, "cache_pool"));
  const [own] = pool?.segments ?? [];
  if (pool === undefined || own === undefined) return malformed("caches");
  const isVolume = segment.fields.has("metadata_start");
  const settings = isVolume ? segment : own;
  const devices = isVolume ? needHalves(planning, segment, pool) : needPool(planning, own);
  if ("refusal" in devices) return devices;
  const origin = planning.need({ name: textOf(segment.fields, "origin"), mark: "real" });
  if (isRefusal(origin)) return origin;
  const words = planSettings(settings, segment.fields.get("cleaner") === 1);
  return "refusal" in words ? words : { type: "cache", words: [...devices, origin, ...words] };
};

function needPool(planning: Planning, { fields }: Segment): readonly TableWord[] | Refusal {
  return needAll(planning, [
    { name: textOf(fields, "metadata"), mark: "cmeta" },
    { name: textOf(fields, "data"), mark: "cdata" },
  ]);
}

function needHalves({ need, add }: Planning, { fields }: Segment, pool: LogicalVolume): readonly TableWord[] | Refusal {
  const whole = need({ name: pool.name, mark: "cvol" });
  if (isRefusal(whole)) return whole;
  const halves: TableWord[] = [];
  for (const half of ["metadata", "data"]) {
    const sectors = countOf(fields, `${half}_len`, 0);
    if (sectors === 0) return malformed("caches");
    const id = textOf(fields, `${half}_id`) || pool.id;
    const target = { type: "linear", sectors, words: [whole, String(countOf(fields, `${half}_start`, 0))] };
    halves.push(add({ volume: pool, mark: half === "data" ? "cdata" : "cmeta", id, target }));
  }
  return halves;
}

/** `isCleaner`: the cache is to be emptied, which lvm2 has begun. */
function planSettings({ fields, policy: settings }: Segment, isCleaner: boolean): readonly string[] | Refusal {
  const chunk = countOf(fields, "chunk_size", 0);
  const mode = isCleaner ? "writethrough" : textOf(fields, "cache_mode") || "writethrough";
  const policy = isCleaner ? "cleaner" : textOf(fields, "policy") || "mq";
  if (chunk === 0 || !MODES.includes(mode) || !POLICIES.includes(policy)) return malformed("caches");
  const features = [...(fields.get("metadata_format") === 2 ? ["metadata2"] : []), mode];
  const threshold = Math.max(
    countOf(settings ?? new Map(), "migration_threshold", DEFAULT_THRESHOLD),
    chunk * LEAST_CHUNKS,
  );
  // smq, which has all other names of a policy today, has no other setting.
  const options = threshold === DEFAULT_THRESHOLD ? [] : ["migration_threshold", String(threshold)];
  return [String(chunk), String(features.length), ...features, policy, String(options.length), ...options];
}

/** In the order in which libdm puts them; those without a number are there if it is 1. */
const WRITECACHE_NUMBERS = [
  "high_watermark",
  "low_watermark",
  "writeback_jobs",
  "autocommit_blocks",
  "autocommit_time",
];
const WRITECACHE_FLAGS = ["fua", "nofua", "cleaner"];

/** Plans dm-writecache on a disk (Documentation/admin-guide/device-mapper/writecache.rst). */
export const planWritecache: PlanSegment = (planning, { fields }) => {
  const devices = needAll(planning, [
    { name: textOf(fields, "origin"), mark: "real" },
    { name: textOf(fields, "writecache"), mark: "cvol" },
  ]);
  if ("refusal" in devices) return devices;
  const number = (name: string) => (fields.has(name) ? [name, String(countOf(fields, name, 0))] : []);
  const flag = (name: string) => (fields.get(name) === 1 ? [name] : []);
  const options = [
    ...WRITECACHE_NUMBERS.flatMap(number),
    ...WRITECACHE_FLAGS.flatMap(flag),
    ...number("max_age"),
    ...flag("metadata_only"),
    ...number("pause_writeback"),
  ];
  const block = countOf(fields, "writecache_block_size", 0);
  if (block === 0) return malformed("caches");
  return { type: "writecache", words: ["s", ...devices, String(block), String(options.length), ...options] };
};
