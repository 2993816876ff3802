import { describe, expect, test } from "bun:test";
import { addPartEntry, findPartition } from "../../../../src/desk/probe/device-facts.ts";
import type { Partition } from "../../../../src/formats/partitions/model.ts";
import { readPartitionTable } from "../../../../src/formats/partitions/partition-table.ts";
import type { Tags } from "../../../../src/formats/tags.ts";
import { HAND_MADE } from "../../../support/probe/hand-made.ts";
import { le32, type Patch, patch, sparseSource } from "../../../support/probe/sparse-source.ts";

const SIZE = 64 * 1024 * 1024;
const brief = ({ number, start, size, type, uuid, scheme }: Partition) => [number, start, size, type, uuid, scheme];

function list(name: string): readonly unknown[] {
  const image = HAND_MADE.find((candidate) => candidate.name === name);
  return readPartitionTable(sparseSource(image?.size ?? 0, image?.patches ?? []), 512)?.partitions.map(brief) ?? [];
}

function mbr(
  sector: number,
  ...entries: readonly (readonly [type: number, start: number, size: number])[]
): readonly Patch[] {
  const bytes = entries.flatMap(([type, start, size]) => [0x80, 0, 0, 0, type, 0, 0, 0, ...le32(start), ...le32(size)]);
  return [patch(sector * 512 + 446, bytes), patch(sector * 512 + 510, [0x55, 0xaa])];
}

const read = (patches: readonly Patch[], sectorSize = 512) =>
  readPartitionTable(sparseSource(SIZE, patches), sectorSize);

describe("MBR", () => {
  test("logical partitions from 5 on, PARTUUID from the disk's signature", () => {
    const chain = [
      ...mbr(0, [0x83, 64, 100], [0x05, 1000, 9000], [0, 0, 0], [0x82, 20000, 50]),
      ...mbr(1000, [0x83, 10, 20], [0x05, 500, 100]),
      ...mbr(1500, [0x83, 10, 30], [0x05, 800, 100]),
      ...mbr(1800, [0x0b, 10, 40]),
      patch(440, le32(0xab12)),
    ];
    expect(read(chain)?.partitions.map(brief)).toEqual([
      [1, 64, 100, "0x83", "0000ab12-01", "dos"],
      [2, 1000, 9000, "0x5", "0000ab12-02", "dos"],
      [4, 20000, 50, "0x82", "0000ab12-04", "dos"],
      [5, 1010, 20, "0x83", "0000ab12-05", "dos"],
      [6, 1510, 30, "0x83", "0000ab12-06", "dos"],
      [7, 1810, 40, "0xb", "0000ab12-07", "dos"],
    ]);
  });

  test("units of 512 bytes on disks with 4K sectors", () => {
    expect(read(mbr(0, [0x83, 64, 100]), 4096)?.partitions.map(brief)).toEqual([[1, 512, 800, "0x83", null, "dos"]]);
  });

  test("a chain that loops ends", () => {
    expect(list("mbr-loop")).toEqual([
      [1, 2048, 10000, "0x5", null, "dos"],
      [5, 2049, 10, "0x83", null, "dos"],
      [6, 2149, 10, "0x83", null, "dos"],
    ]);
  });

  test("an endless chain ends at the read limit", () => {
    const links = Array.from({ length: 2000 }, (_, i) =>
      mbr(100 + i * 20, [0x83, 1, 1], [0x05, (i + 1) * 20, 10]),
    ).flat();
    const count = read([...mbr(0, [0x05, 100, 60000]), ...links])?.partitions.length ?? 0;
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThan(2000);
  });

  test("slices of Solaris and partitions of Minix have the last numbers", () => {
    expect(list("solaris-in-mbr")).toEqual([
      [1, 2048, 10000, "0x82", null, "dos"],
      [5, 2112, 1000, "0x2", null, "solaris"],
      [6, 4048, 500, "0x3", null, "solaris"],
    ]);
    expect(list("minix-in-mbr")).toEqual([
      [1, 2048, 10000, "0x81", null, "dos"],
      [2, 20000, 100, "0x83", null, "dos"],
      [5, 2100, 100, "0x81", null, "minix"],
      [6, 4000, 100, "0x81", null, "minix"],
    ]);
  });
});

describe("other tables", () => {
  test("Ultrix and Atari with ICD's entries", () => {
    expect(list("ultrix")).toEqual([
      [1, 0, 1000, "0x0", null, "ultrix"],
      [3, 1000, 500, "0x0", null, "ultrix"],
    ]);
    expect(list("atari-icd")).toEqual([
      [1, 2, 100, "GEM", null, "atari"],
      [5, 1000, 50, "LNX", null, "atari"],
    ]);
  });
});

describe("PART_ENTRY", () => {
  const partition: Partition = {
    number: 5,
    start: 2048,
    size: 100,
    type: "0x5",
    uuid: "0000ab12-05",
    name: "a name",
    attributes: 0x80n,
    scheme: "dos",
  };

  test("all fields of the table, in libblkid's order", () => {
    const tags: Tags = [];
    addPartEntry(tags, partition, "8:0");
    const lines = tags.map(({ name, value }) => `${name.slice(11)}=${new TextDecoder().decode(value)}`);
    expect(lines).toEqual([
      "SCHEME=dos",
      "NAME=a name",
      "UUID=0000ab12-05",
      "TYPE=0x5",
      "FLAGS=0x80",
      "NUMBER=5",
      "OFFSET=2048",
      "SIZE=100",
      "DISK=8:0",
    ]);
  });

  test("found by its place; the kernel shows two sectors of an extended one", () => {
    expect(findPartition([partition], 2048, 100)).toBe(partition);
    expect(findPartition([partition], 2048, 2)).toBe(partition);
    expect(findPartition([{ ...partition, type: "0x83" }], 2048, 2)).toBeNull();
    expect(findPartition([partition], 2049, 100)).toBeNull();
  });
});
