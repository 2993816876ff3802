import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { BlockDevice } from "../../../../src/devices/block-devices.ts";
import { type ArrayMember, readArrayMember } from "../../../../src/formats/containers/md-member.ts";
import { judgeArray, type Member } from "../../../../src/storage/kinds/md/array.ts";
import { fakeMember } from "../../../support/fake-arrays.ts";
import { byteSource } from "../../../support/luks/sources.ts";

const device: BlockDevice = {
  ...{ name: "vda", node: "/dev/vda", number: "8:0", sizeBytes: 1, partition: null, unreadable: null },
  facts: { type: "linux_raid_member", label: null, uuid: null, partitionTable: null, ambivalent: [] },
};

/** The members in these places of an array that has `disks` of them. */
function members(places: readonly ArrayMember["role"][], more: Partial<ArrayMember>): readonly [Member, ...Member[]] {
  const all = places.map((role): Member => {
    const info = { metadata: "1.2", uuid: "u", name: "n", minor: null, level: 1, layout: 0, disks: 2 } as const;
    const state = { events: 5n, isClean: true, isReshaping: false, hasJournal: false } as const;
    return { device, info: { ...info, ...state, ...more, role } };
  });
  return all as unknown as readonly [Member, ...Member[]];
}

describe("which members are enough", () => {
  // layout of RAID 10: near copies, and far copies times 256.
  test.each([
    ["a mirror", { level: 1, disks: 3 }, [2], "degraded"],
    ["a linear array", { level: -1, disks: 2 }, [0], "incomplete"],
    ["RAID 0", { level: 0, disks: 2 }, [1], "incomplete"],
    ["RAID 4", { level: 4, disks: 3 }, [0, 1], "degraded"],
    ["RAID 5", { level: 5, disks: 3 }, [0, 2], "degraded"],
    ["RAID 5 without two", { level: 5, disks: 4 }, [0, 2], "incomplete"],
    ["RAID 6 without two", { level: 6, disks: 4 }, [0, 2], "degraded"],
    ["RAID 6 without three", { level: 6, disks: 5 }, [0, 2], "incomplete"],
    ["RAID 10, one of each pair", { level: 10, disks: 4, layout: 0x102 }, [0, 3], "degraded"],
    ["RAID 10 without a pair", { level: 10, disks: 4, layout: 0x102 }, [2, 3], "incomplete"],
    ["RAID 10 far", { level: 10, disks: 4, layout: 0x201 }, [1, 3], "degraded"],
    ["RAID 10 without copies", { level: 10, disks: 2, layout: 0 }, [1], "incomplete"],
    ["all of them", { level: 6, disks: 4 }, [0, 1, 2, 3], "complete"],
  ] as const)("%s", (_, shape, places, kind) => {
    expect(judgeArray(members(places, shape)).kind).toBe(kind);
  });
});

test("a spare and a journal are used too, but fill no place", () => {
  const { kind, used, missing } = judgeArray(
    members([0, "spare", "journal"], { hasJournal: true, level: 5, disks: 2 }),
  );
  expect(kind).toBe("degraded");
  expect(used.map(({ info }) => info.role)).toEqual([0, "spare", "journal"]);
  expect(missing).toEqual([1]);
});

test("one event less is no absence: it is written to one member after the other", () => {
  const [first] = members([0], {});
  const [second] = members([1], { events: 4n });
  const [third] = members([1], { events: 3n });
  expect(judgeArray([first, second]).kind).toBe("complete");
  expect(judgeArray([first, third])).toMatchObject({ kind: "degraded", stale: [third] });
});

test("a parity array that was not stopped cleanly must have all members", () => {
  const shape = { level: 5, disks: 3, isClean: false };
  expect(judgeArray(members([0, 1], shape))).toMatchObject({
    kind: "refused",
    why: "it was not stopped cleanly, and a member is missing",
  });
  expect(judgeArray(members([0, 1, 2], shape)).kind).toBe("complete");
});

test("a superblock is read as it was written", () => {
  const bytes = fakeMember(
    { bytes: new Uint8Array(4096) },
    { place: 1, disks: 3, level: 5, events: 77, isClean: false },
  );
  expect(readArrayMember(byteSource(bytes))).toEqual({
    ...{ metadata: "1.2", uuid: "0f6f4b5c-1d2e-3f40-5162-738495a6b7c8", name: "host:0", minor: null, level: 5 },
    ...{ layout: 0, disks: 3, events: 77n, role: 1, isClean: false, isReshaping: false, hasJournal: false },
  });
});

test("crafted superblocks are read, or not, and judged in no time", () => {
  const intact = fakeMember({ bytes: new Uint8Array(4096) }, { place: 0 });
  const change = fc.tuple(fc.integer({ min: 8, max: 400 }), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), fc.nat(8192), (changes, length) => {
      const bytes = intact.slice();
      for (const [at, value] of changes) bytes[4096 + at] = value;
      for (const one of [bytes, bytes.subarray(0, length)]) {
        const info = readArrayMember(byteSource(one));
        if (info !== null) expect(judgeArray([{ device, info }]).missing.length).toBeLessThan(400);
      }
    }),
  );
});
