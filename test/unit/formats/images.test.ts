import { describe, expect, test } from "bun:test";
import { formatExport } from "../../../src/desk/probe/device-facts.ts";
import { READ_LIMIT_BYTES } from "../../../src/formats/area.ts";
import { readPartitionTable } from "../../../src/formats/partitions/partition-table.ts";
import { type ProbeResult, probe } from "../../../src/formats/probe.ts";
import { formatPartition } from "../../support/probe/format-partition.ts";
import { HAND_MADE } from "../../support/probe/hand-made.ts";
import { readRecordedImages } from "../../support/probe/recorded-images.ts";
import { sparseSource } from "../../support/probe/sparse-source.ts";

// What each `tells` was recorded from the real blkid; test/vm/probe-images.test.ts compares it with the one that is here.
function tell({ ambivalent, tags }: ProbeResult): string {
  const lines = formatExport("", tags).trimEnd().split("\n").slice(1);
  return ambivalent.length > 0 ? "ambivalent" : lines.join(" | ");
}

describe("hand-made headers have the tags of blkid", () => {
  test.each(HAND_MADE.map((image) => [image.name, image] as const))("%s", (_name, { size, patches, tells }) => {
    const source = sparseSource(size, patches);
    expect(tell(probe(source))).toBe(tells);
    // The head, and single KiB after it; all of it only where nothing is known.
    const most = tells.includes("TYPE=") && !tells.includes("LOGUUID") ? 80 * 1024 : READ_LIMIT_BYTES;
    expect(source.count.bytes).toBeLessThanOrEqual(most);
  });

  test("64 KiB identify most devices, as a whole disk and as a partition", () => {
    const known = [...readRecordedImages(), ...HAND_MADE].filter(({ tells }) => /\bTYPE=/.test(tells));
    expect(known.length).toBeGreaterThan(150);
    for (const kind of ["disk", "partition"] as const) {
      const within = known.filter(({ size, patches }) => {
        const source = sparseSource(size, patches);
        probe(source, { kind });
        return source.count.bytes <= 64 * 1024;
      });
      expect([kind, within.length > 0.9 * known.length]).toEqual([kind, true]);
    }
  });

  test("the named fields equal the tags", () => {
    const image = HAND_MADE.find(({ name }) => name === "md-1.2");
    const result = probe(sparseSource(image?.size ?? 0, image?.patches ?? []));
    expect(result).toMatchObject({
      type: "linux_raid_member",
      label: "host:array",
      uuid: "01020304-0506-0708-090a-0b0c0d0e0f10",
      usage: "raid",
      partitionTable: null,
      ambivalent: [],
    });
  });

  test("contradicting types are named", () => {
    const image = HAND_MADE.find(({ name }) => name === "ext-and-minix-and-iso");
    const result = probe(sparseSource(image?.size ?? 0, image?.patches ?? []));
    expect(result.ambivalent).toEqual(["swap", "iso9660"]);
    expect(result.type).toBeNull();
  });
});

/** libblkid's safe probe ignores the second header of LUKS2, levain uses it if nothing else is there (docs/probe.md). */
const SECOND_HEADER = ["luks2-second-header"];

describe("images of real tools have the tags of blkid and the partitions of partx", () => {
  test.each(readRecordedImages().map((image) => [image.name, image] as const))("%s", (_name, image) => {
    const told = tell(probe(sparseSource(image.size, image.patches)));
    if (SECOND_HEADER.includes(image.name))
      expect([image.tells, told]).toEqual(["", expect.stringContaining("crypto_LUKS")]);
    else expect(told).toBe(image.tells);
    const table = readPartitionTable(sparseSource(image.size, image.patches), 512);
    expect(table?.partitions.map(formatPartition) ?? []).toEqual([...image.partitions]);
  });
});

describe("the places that are searched depend on the kind of device", () => {
  const tellAs = (name: string, kind: "file" | "disk" | "partition" | "optical") => {
    const image = HAND_MADE.find((candidate) => candidate.name === name);
    const source = sparseSource(image?.size ?? 0, image?.patches ?? []);
    return { text: tell(probe(source, { kind })), bytes: source.count.bytes };
  };

  test("a partition is not a member of a controller's RAID", () => {
    expect(tellAs("isw", "disk").text).toContain("isw_raid_member");
    expect(tellAs("isw", "partition").text).toBe("");
  });

  test("a partition may end with a Linux RAID, and is read less", () => {
    expect(tellAs("md-0.90", "partition").text).toContain("linux_raid_member");
    expect(tellAs("ufs-1", "partition").bytes).toBeLessThan(tellAs("ufs-1", "disk").bytes);
  });

  test("optical media are searched for neither RAID nor swap", () => {
    expect(tellAs("md-1.2", "optical").text).toBe("");
    expect(tellAs("swap-0", "optical").text).toBe("");
    expect(tellAs("high-sierra", "optical").text).toContain("iso9660");
  });

  test("an array at the end of the last partition is not the disk's", () => {
    expect(tellAs("md-over-mbr", "disk").text).toBe("PTTYPE=dos");
  });
});
