import { expect, test } from "bun:test";
import type { ConfigValue } from "../../../../src/formats/lvm/config-text.ts";
import type { LogicalVolume, VolumeGroup } from "../../../../src/formats/lvm/volume-group.ts";
import { planVolume } from "../../../../src/storage/kinds/lvm/tables/plan-volume.ts";
import { fakeId } from "../../../support/fake-lvm.ts";

// Metadata that no lvm2 writes: anyone can put them on a stick.

const volume = (name: string, type: string, fields: Readonly<Record<string, ConfigValue>>): LogicalVolume => ({
  name,
  id: `${name}-id`,
  status: ["READ", "WRITE", "VISIBLE"],
  readAhead: null,
  segments: [{ startExtent: 0, extents: 2, type, fields: new Map(Object.entries(fields)), policy: null }],
});
const linear = (name: string) => volume(name, "striped", { stripe_count: 1, stripes: ["pv0", 0] });
const group = (...volumes: readonly LogicalVolume[]): VolumeGroup => ({
  name: "vg0",
  id: fakeId("g"),
  seqno: 1,
  status: ["READ", "WRITE"],
  systemId: null,
  lockType: null,
  extentSectors: 128,
  physicalVolumes: [{ key: "pv0", id: fakeId("a"), sectors: 0, startSector: 2048, extents: 100, status: [] }],
  volumes,
});

function wordsOf(planned: VolumeGroup): readonly string[] {
  const [first] = planned.volumes;
  const plan = first === undefined ? { refusal: "" } : planVolume(planned, first);
  if ("refusal" in plan) throw new Error(plan.refusal);
  const words = plan.mappings.flatMap(({ targets }) => targets).flatMap((target) => target.words);
  return words.flatMap((word) => (typeof word === "string" ? word : []));
}

test.each([
  ["stripe_size", "64 2 - 8:0 - 8:16"],
  ["region_size", "64 2 - 8:0 - 8:16"],
  ["data_copies", "2 2 - 8:0 - 8:16"],
])("%s of a RAID names no device of another disk", (name, value) => {
  const raid = volume("root", "raid10", { device_count: 2, raids: ["m0", "d0", "m1", "d1"], [name]: value });
  const words = wordsOf(group(raid, ...["m0", "d0", "m1", "d1"].map(linear)));
  expect(words.filter((word) => /[ :]/.test(word))).toEqual([]);
});

test("a thin pool's low-water mark adds no words", () => {
  const thin = volume("root", "thin", { thin_pool: "pool", device_id: 1 });
  const fields = { metadata: "meta", pool: "data", chunk_size: 128, low_water_mark: "0 1 read_only" };
  const words = wordsOf(group(thin, volume("pool", "thin-pool", fields), linear("meta"), linear("data")));
  expect(words.filter((word) => word.includes(" "))).toEqual([]);
});

test.each(["constructor", "toString", "__proto__", "ignore"])(
  "a thin pool may say anything of its discards: %s",
  (discards) => {
    const thin = volume("root", "thin", { thin_pool: "pool", device_id: 1 });
    const fields = { metadata: "meta", pool: "data", chunk_size: 128, discards };
    const words = wordsOf(group(thin, volume("pool", "thin-pool", fields), linear("meta"), linear("data")));
    expect(words.includes("ignore_discard")).toBe(discards === "ignore");
  },
);

test("a segment of a hundred thousand stripes is refused", () => {
  const stripes = Array.from({ length: 100_000 }, () => ["pv0", 0]).flat();
  const small = volume("root", "striped", { stripe_count: 100_000, stripe_size: 1, stripes });
  const root = { ...small, segments: small.segments.map((segment) => ({ ...segment, extents: 100_000 })) };
  expect(planVolume(group(root), root)).toEqual({ refusal: "its stripes are malformed" });
});

test("a RAID of more devices than the kernel allows is refused before they are looked for", () => {
  const raids = Array.from({ length: 100_000 }, (_, index) => `v${index}`);
  const root = volume("root", "raid1", { device_count: 50_000, raids });
  expect(planVolume(group(root), root)).toEqual({ refusal: "its images are malformed" });
});

test("volumes that name each other many times are refused at once", () => {
  const levels = Array.from({ length: 9 }, (_, level) =>
    volume(`v${level}`, "raid1", { device_count: 50, raids: Array.from({ length: 100 }, () => `v${level + 1}`) }),
  );
  const crafted = group(...levels);
  const [first] = crafted.volumes;
  const startMs = performance.now();
  expect(first && planVolume(crafted, first)).toHaveProperty("refusal");
  expect(performance.now() - startMs).toBeLessThan(1000);
});
