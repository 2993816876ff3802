import { countOf, textOf } from "./fields.ts";
import { isRefusal, malformed, needAll, type PlanSegment } from "./planning.ts";

/** A pool's features, in the order in which the kernel shows them. */
const DISCARDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["ignore", ["ignore_discard"]],
  ["nopassdown", ["no_discard_passdown"]],
]);

/** Plans dm-thin (Documentation/admin-guide/device-mapper/thin-provisioning.rst). */
export const planThinPool: PlanSegment = (planning, { fields }) => {
  const devices = needAll(planning, [
    { name: textOf(fields, "metadata"), mark: "tmeta" },
    { name: textOf(fields, "pool"), mark: "tdata" },
  ]);
  if ("refusal" in devices) return devices;
  const chunk = countOf(fields, "chunk_size", 0);
  if (chunk === 0) return malformed("chunks");
  const features = [
    ...(fields.get("zero_new_blocks") === 1 ? [] : ["skip_block_zeroing"]),
    ...(DISCARDS.get(textOf(fields, "discards")) ?? []),
    ...(planning.volume.status.includes("ERROR_WHEN_FULL") ? ["error_if_no_space"] : []),
  ];
  const lowWater = countOf(fields, "low_water_mark", 0);
  return {
    type: "thin-pool",
    words: [...devices, String(chunk), String(lowWater), String(features.length), ...features],
  };
};

/** Plans a thin volume, and the volume outside the pool that it shows where nothing has been written to it. */
export const planThin: PlanSegment = (planning, { fields }) => {
  if (fields.has("merge") || planning.index.mergingThin.has(planning.volume.name))
    return { refusal: "a thin snapshot is being merged into its origin" };
  const pool = planning.need({ name: textOf(fields, "thin_pool"), mark: "tpool", isLayer: true });
  if (isRefusal(pool)) return pool;
  // dev_t of drivers/md/dm-thin.c has 24 bits.
  const id = countOf(fields, "device_id", 2 ** 24);
  if (id >= 2 ** 24) return malformed("numbers");
  const external = fields.has("external_origin")
    ? needAll(planning, [{ name: textOf(fields, "external_origin"), mark: "real", isLayer: true }])
    : [];
  return "refusal" in external ? external : { type: "thin", words: [pool, String(id), ...external] };
};
