import { expect, test } from "bun:test";
import { join } from "node:path";
import { compareLayout, type RecordedLayout } from "../../../support/compare-layout.ts";

// What lvm2 2.03.16 and dmsetup wrote about each layout (test/support/lvm-layouts.ts records it).
const RECORDED = (await Bun.file(join(import.meta.dir, "../../../corpus/lvm/layouts.json")).json()) as Readonly<
  Record<string, RecordedLayout>
>;

test("there are layouts enough, and levain activates most of them", () => {
  const compared = Object.entries(RECORDED).map(([name, recorded]) => compareLayout(name, recorded));
  expect(compared.filter(({ ours }) => ours !== null).length).toBeGreaterThanOrEqual(36);
});

test.each(Object.keys(RECORDED))("device-mapper tables, names and UUIDs of %s are those of lvm2", (name) => {
  const recorded = RECORDED[name];
  if (recorded === undefined) throw new Error(name);
  const { ours, theirs, activated } = compareLayout(name, recorded);
  if (ours !== null) expect(ours).toEqual(theirs);
  // The origin of a snapshot is another device than a volume without one: written to as such, it would spoil the snapshot.
  expect(activated.filter((line) => !theirs.includes(line))).toEqual([]);
});
