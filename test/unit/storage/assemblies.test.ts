import { describe, expect, test } from "bun:test";
import type { BlockDevice } from "../../../src/devices/block-devices.ts";
import { joinAssemblies } from "../../../src/storage/assemblies.ts";
import type { Assembly, Link, Round } from "../../../src/storage/contract.ts";

const device = (name: string, disk?: string) =>
  ({ name, partition: disk === undefined ? null : { disk, index: 1 } }) as BlockDevice;

const link = (from: readonly string[], to: string | null, isReplacement = false): Link => ({ from, to, isReplacement });

/** Two disks in LUKS in RAID, a partition and logical volumes on it. */
const DEVICES = ["sda", "sdb", "dm-0", "dm-1", "md0", "dm-2", "dm-3", "dm-4"].map((name) =>
  device(name, name === "dm-2" ? "md0" : undefined),
);
const LINKS: readonly Link[] = [
  link(["sda"], "dm-0", true),
  link(["sdb"], "dm-1", true),
  link(["dm-0", "dm-1"], "md0", true),
  link(["md0"], "dm-2"),
  link(["dm-2"], "dm-3"),
  link(["dm-2"], "dm-4"),
];

function join(list: readonly Assembly[]) {
  return joinAssemblies(list, new Map(DEVICES.map((one) => [one.name, one])));
}

function named(name: string): BlockDevice {
  return DEVICES.find((one) => one.name === name) ?? device(name);
}

describe("links", () => {
  const all = join([{ advance: () => "idle", links: () => LINKS }]);

  test("lead from a device to what was made of it, for 1 to 1 and N to 1", () => {
    expect(all.inside(named("sda"))?.name).toBe("dm-0");
    expect(all.innermost(named("sda")).name).toBe("md0");
    expect(all.innermost(named("sdb")).name).toBe("md0");
  });

  test("of a disk and its partitions, or of LVM, keep both", () => {
    expect(all.inside(named("md0"))).toBeNull();
    expect(all.innermost(named("dm-2")).name).toBe("dm-2");
  });

  test("tell the volumes that a device lies in, through partitions too", () => {
    const names = (name: string) => all.containersOf(named(name)).map((one) => one.name);
    expect(names("dm-2")).toEqual(["dm-0", "sda", "dm-1", "sdb"]);
    expect(names("dm-4")).toEqual(names("dm-2"));
    expect(all.containersOf(named("sda"))).toEqual([]);
    // Each kind goes through all devices for its links, which must not happen for each of 64 members among 500 disks.
    let asked = 0;
    const links = () => {
      asked += 1;
      return LINKS;
    };
    join([{ advance: () => "idle", links }]).containersOf(named("dm-4"));
    expect(asked).toBe(1);
  });

  test("without a device of their own join the members of a filesystem", () => {
    const pool = join([{ advance: () => "idle", links: () => [link(["sda", "sdb"], null)] }]);
    expect(pool.oneOfEach(["sdb", "dm-0", "sda"].map(named)).map(({ name }) => name)).toEqual(["sda", "dm-0"]);
    expect(pool.oneOfEach(["dm-0", "sdb"].map(named)).map(({ name }) => name)).toEqual(["dm-0", "sdb"]);
    expect(pool.inside(named("sda"))).toBeNull();
  });
});

test("a round ends with the first assembly that changes something; a wait of any of them counts", () => {
  const calls: string[] = [];
  const step = (name: string, round: Round): Assembly => ({
    advance() {
      calls.push(name);
      return round;
    },
  });
  const wait = { text: "a key", leftMs: 5 };
  expect(join([step("a", wait), step("b", "idle")]).advance(null)).toEqual(wait);
  expect(join([step("c", wait), step("d", "changed"), step("e", "idle")]).advance(null)).toBe("changed");
  expect(calls).toEqual(["a", "b", "c", "d"]);
});
