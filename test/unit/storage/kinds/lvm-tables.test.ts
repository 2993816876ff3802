import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseVolumeGroup } from "../../../../src/formats/lvm/volume-group.ts";
import { readAheadOf } from "../../../../src/storage/kinds/lvm/read-ahead.ts";
import { compareLayout, type RecordedLayout } from "../../../support/compare-layout.ts";

// What lvm2 2.03.16 and dmsetup wrote about each layout (test/support/lvm-layouts.ts records it).
const RECORDED = (await Bun.file(join(import.meta.dir, "../../../corpus/lvm/layouts.json")).json()) as Readonly<
  Record<string, RecordedLayout>
>;

test("there are layouts enough, and levain activates most of them", () => {
  const compared = Object.entries(RECORDED).map(([name, recorded]) => compareLayout(name, recorded));
  expect(compared.filter(({ ours }) => ours !== null).length).toBeGreaterThanOrEqual(79);
});

test.each(Object.keys(RECORDED))("device-mapper tables, names and UUIDs of %s are those of lvm2", (name) => {
  const recorded = RECORDED[name];
  if (recorded === undefined) throw new Error(name);
  const { ours, theirs, activated } = compareLayout(name, recorded);
  if (ours !== null) expect(ours).toEqual(theirs);
  // The origin of a snapshot is another device than a volume without one: written to as such, it would spoil the snapshot.
  expect(activated.filter((line) => !theirs.includes(line))).toEqual([]);
});

test("volumes read ahead as far as those of lvm2", () => {
  const recorded = RECORDED["read-ahead"];
  const volumes = parseVolumeGroup(recorded?.vg ?? "")?.volumes ?? [];
  const ours = volumes.map((volume) => {
    const wanted = readAheadOf(volume) ?? { kib: 128, isLeast: true };
    return `vg-${volume.name} ${2 * (wanted.isLeast ? Math.max(128, wanted.kib) : wanted.kib)}`;
  });
  const theirs = recorded?.info
    .split("\n")
    .flatMap((line) => /(vg-\w+) \S+ (\d+)$/.exec(line.trim())?.slice(1).join(" ") ?? []);
  expect(ours).toEqual(theirs ?? []);
  expect(ours).toHaveLength(3);
});
