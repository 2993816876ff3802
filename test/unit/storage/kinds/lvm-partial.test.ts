import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseVolumeGroup } from "../../../../src/formats/lvm/volume-group.ts";
import { planVolume } from "../../../../src/storage/kinds/lvm/tables/plan-volume.ts";
import type { VolumePlan } from "../../../../src/storage/kinds/lvm/tables/planning.ts";

// Groups that lvm2 made, without some of their physical volumes (test/support/lvm-layouts.ts).

const RECORDED = (await Bun.file(join(import.meta.dir, "../../../corpus/lvm/layouts.json")).json()) as Readonly<
  Record<string, { readonly vg: string }>
>;

/** Plans the volume "a" of a layout, without the physical volumes of these numbers. */
function plan(layout: string, without: readonly number[], isPartial = true): VolumePlan {
  const group = parseVolumeGroup(RECORDED[layout]?.vg ?? "");
  const volume = group?.volumes.find(({ name }) => name === "a");
  if (group === null || volume === undefined) throw new Error(layout);
  const missing = group.physicalVolumes.filter((_, index) => without.includes(index));
  return planVolume(group, volume, { missing, isPartial });
}
const isActive = (layout: string, without: readonly number[]) => "mappings" in plan(layout, without);

test.each<[string, readonly number[], boolean]>([
  ["linear", [0], false],
  ["linear", [1], true],
  ["striped-2-64k", [1], false],
  ["raid0-2", [0], false],
  ["raid1-2", [0], true],
  ["raid1-2", [0, 1], false],
  ["raid1-4", [0, 1, 3], true],
  ["raid1-4", [0, 1, 2, 3], false],
  ["raid4", [1], true],
  ["raid5-2", [2], true],
  ["raid5-2", [1, 2], false],
  ["raid6", [0, 4], true],
  ["raid6", [0, 1, 4], false],
  ["raid10", [0, 2], true],
  ["raid10", [0, 1], false],
  ["mirror-disk", [0], false],
  ["snapshot", [0], false],
  ["thin-one", [0], false],
])("with rd.lvm.partial, %s without physical volumes %j is activated: %p", (layout, without, isExpected) => {
  expect(isActive(layout, without)).toBe(isExpected);
});

test("the images on a missing physical volume lie on devices that fail, as those of lvm2 do", () => {
  const degraded = plan("raid1-2", [1]);
  if ("refusal" in degraded) throw new Error(degraded.refusal);
  expect(degraded.mappings.map(({ name, targets: [first] }) => `${name}: ${first?.sectors} ${first?.type}`)).toEqual([
    "vg-a_rmeta_0: 2048 linear",
    "vg-a_rimage_0: 10240 linear",
    "vg-a_rmeta_1-missing_0_0: 2048 error",
    "vg-a_rmeta_1: 2048 linear",
    "vg-a_rimage_1-missing_0_0: 10240 error",
    "vg-a_rimage_1: 10240 linear",
    "vg-a: 10240 raid",
  ]);
});

test("without the parameter, the disk is named, and the parameter if it helps", () => {
  const lines = [plan("raid1-2", [1], false), plan("linear", [0], false)].map((one) => "refusal" in one && one.refusal);
  expect(lines).toEqual([
    expect.stringMatching(
      /^the physical volume \S+ \(64 MiB\) is missing: rd\.lvm\.partial activates the RAID without it$/,
    ),
    expect.stringMatching(/^the physical volume \S+ \(64 MiB\) is missing$/),
  ]);
});
