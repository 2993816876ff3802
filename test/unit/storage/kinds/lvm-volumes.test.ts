import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseVolumeGroup } from "../../../../src/formats/lvm/volume-group.ts";
import { listVolumes } from "../../../../src/storage/kinds/lvm/tables/group-index.ts";
import { groupText } from "../../../support/fake-lvm.ts";

const RECORDED = (await Bun.file(join(import.meta.dir, "../../../corpus/lvm/layouts.json")).json()) as Readonly<
  Record<string, { readonly vg: string }>
>;

function namesOf(text: string | undefined): readonly string[] {
  const group = parseVolumeGroup(text ?? "");
  if (group === null) throw new Error("malformed");
  return listVolumes(group).map(({ name }) => name);
}

test.each([
  ["linear", ["a"]],
  ["raid1-2", ["a"]],
  ["mirror-disk", ["a"]],
  ["raid1-integrity-bitmap", ["a"]],
  ["snapshot-two", ["a", "s", "t"]],
  ["snapshot-merging", ["a"]],
  ["thin-snapshot", ["a", "b"]],
  ["cache-pool", ["a"]],
  ["cache-volume", ["a"]],
])("of the layout %s, the volumes that may hold something are %j", (layout, names) => {
  expect(namesOf(RECORDED[layout]?.vg)).toEqual(names);
});

test("a historical volume, of which only the name is left, is none", () => {
  const text = groupText({ members: {}, volumes: {} });
  const historical = `historical_logical_volumes {
-old {
id = "xxxxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxxxx"
name = "old"
creation_time = 1700000000
removal_time = 1700000001
origin = "-older"
descendants = ["root"]
}
}
`;
  expect(namesOf(text.replace("logical_volumes {", `${historical}logical_volumes {`))).toEqual([]);
});
