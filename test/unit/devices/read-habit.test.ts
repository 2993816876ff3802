import { expect, test } from "bun:test";
import type { DeviceEntry } from "../../../src/devices/block-devices.ts";
import { createReadHabit, HEAD_BYTES } from "../../../src/devices/read-habit.ts";

const entry = (name: string, sizeBytes: number): DeviceEntry => ({
  name,
  node: `/dev/${name}`,
  number: "8:0",
  sizeBytes,
  partition: null,
  area: { kind: "disk", sectorSize: 512 },
});
const HEAD = { offset: 0, length: HEAD_BYTES };
const page = (offset: number) => ({ offset, length: 1024 });
const MIB = 1 << 20;

test("a device is read where all others of its size and kind were", () => {
  const habit = createReadHabit();
  expect(habit.placesFor(entry("sda", MIB))).toEqual([HEAD]);
  // Within the head, and a long piece: not read in advance.
  habit.learn(entry("sda", MIB), [HEAD, page(1024), page(65_536), page(131_072), { offset: 0, length: 262_144 }]);
  expect(habit.placesFor(entry("sdb", MIB))).toEqual([HEAD, page(65_536), page(131_072)]);
  habit.learn(entry("sdb", MIB), [HEAD, page(65_536), page(262_144)]);
  expect(habit.placesFor(entry("sdc", MIB))).toEqual([HEAD, page(65_536)]);
  expect(habit.placesFor(entry("sdd", 2 * MIB))).toEqual([HEAD]);
  const partition = { ...entry("sda1", MIB), area: { kind: "partition", sectorSize: 512 } } as const;
  expect(habit.placesFor(partition)).toEqual([HEAD]);
});

test("the places stay the same list as long as they hold", () => {
  const habit = createReadHabit();
  habit.learn(entry("sda", MIB), [HEAD, page(65_536), page(131_072)]);
  const places = habit.placesFor(entry("sdb", MIB));
  habit.learn(entry("sdb", MIB), [HEAD, page(65_536), page(131_072)]);
  expect(habit.placesFor(entry("sdc", MIB))).toBe(places);
});

test("the head of a small device ends with it", () => {
  const habit = createReadHabit();
  expect(habit.placesFor(entry("sda", 4096))).toEqual([{ offset: 0, length: 4096 }]);
  expect(habit.placesFor(entry("sr0", 0))).toEqual([HEAD]);
});
