import { expect, test } from "bun:test";
import { parseVolumeGroup } from "../../../../src/formats/lvm/volume-group.ts";
import { listStages } from "../../../../src/storage/kinds/lvm/wanted.ts";
import { fakeId, groupText } from "../../../support/fake-lvm.ts";

// Which volumes of a group are activated one after the other while the wanted device is not there.

const segments = [{ on: "pv0", from: 0, extents: 1 }];
const GROUP = parseVolumeGroup(
  groupText({
    members: { pv0: fakeId("a") },
    volumes: {
      swap: { segments },
      mirrored: { segments, type: "raid1" },
      thin: { segments, type: "thin" },
      named: { segments, type: "raid1" },
      both: { segments: [...segments, { on: "pv0", from: 1, extents: 1 }] },
    },
  }),
);

const crypt = { volumes: [], unnamed: { header: null, keys: [] }, everyLuks: false, isOff: false };
const plan = { roots: [{ by: "uuid", value: "1234" }], crypt, lvm: { isOff: false, groups: [], volumes: [] } };
const stagesOf = (more: object, isLate = false) => {
  const stages = listStages({ ...plan, ...more } as unknown as Parameters<typeof listStages>[0], isLate);
  return stages.map((test) =>
    GROUP?.volumes.filter((one) => test({ group: GROUP, isOnStick: false }, one)).map(({ name }) => name),
  );
};
const ALL = ["swap", "mirrored", "thin", "named", "both"];

test("of a root by UUID, all at once", () => {
  expect(stagesOf({})).toEqual([[], ALL]);
});

test("of swap space by UUID, before a resume, first those to which the kernel writes nothing", () => {
  expect(stagesOf({ isForResume: true })).toEqual([[], ["swap", "both"]]);
  expect(stagesOf({ isForResume: true }, true)).toEqual([[], ALL]);
});

test("of swap space by its path, that alone", () => {
  const roots = [{ by: "path", path: "/dev/vg0/named" }];
  expect(stagesOf({ isForResume: true, roots })).toEqual([["named"], []]);
});
