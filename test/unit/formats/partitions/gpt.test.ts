import { describe, expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { readPartitionTable } from "../../../../src/formats/partitions/partition-table.ts";
import { probe } from "../../../../src/formats/probe.ts";
import { counting, le16, le32, le64, type Patch, patch, sparseSource } from "../../../support/probe/sparse-source.ts";

const SIZE = 64 * 1024 * 1024;
const PROTECTIVE = patch(
  446,
  [0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff],
  le32(1),
  le32(0xffffffff),
  new Array(48).fill(0),
  [0x55, 0xaa],
);

interface GptOptions {
  readonly sectorSize?: number;
  /** Which of the two headers is written. */
  readonly at?: "start" | "end";
  readonly name?: string;
  readonly damage?: "header" | "entries";
}

/** One partition, entry 3, of 2048 to 4095 sectors, with right checksums. */
function makeGpt({ sectorSize = 512, at = "start", name = "a name", damage }: GptOptions = {}): readonly Patch[] {
  const last = SIZE / sectorSize - 1;
  const [own, entriesLba] = at === "start" ? [1, 2] : [last, last - 33];
  const entries = new Uint8Array(128 * 128);
  const utf16 = new Uint8Array(Array.from({ length: name.length }, (_, i) => le16(name.charCodeAt(i))).flat());
  entries.set([...counting(16), ...counting(16, 17), ...le64(2048), ...le64(4095), ...le64(5n), ...utf16], 256);
  const sum = crc32(entries);
  const head = (checksum: number) =>
    Uint8Array.from([
      ...Array.from("EFI PART", (letter) => letter.charCodeAt(0)),
      ...[
        le32(0x10000),
        le32(92),
        le32(checksum),
        le32(0),
        le64(own),
        le64(last + 1 - own),
        le64(40),
        le64(last - 40),
      ].flat(),
      ...counting(16),
      ...[le64(entriesLba), le32(128), le32(128), le32(sum)].flat(),
    ]);
  const header = head(crc32(head(0)));
  if (damage === "header") header[40] = 41;
  if (damage === "entries") entries[300] = 1;
  return [
    { at: own * sectorSize, bytes: header },
    { at: entriesLba * sectorSize, bytes: entries },
  ];
}

const read = (patches: readonly Patch[], sectorSize = 512) =>
  readPartitionTable(sparseSource(SIZE, patches), sectorSize);

describe("GPT", () => {
  const entry = {
    number: 3,
    start: 2048,
    size: 2048,
    type: "04030201-0605-0807-090a-0b0c0d0e0f10",
    uuid: "14131211-1615-1817-191a-1b1c1d1e1f20",
    name: "a name",
    attributes: 5n,
    scheme: "gpt",
  };

  test("partitions keep the number of their entry; GUIDs are in EFI's byte order", () => {
    expect(read([PROTECTIVE, ...makeGpt()])).toEqual({
      type: "gpt",
      uuid: "04030201-0605-0807-090a-0b0c0d0e0f10",
      partitions: [entry],
    });
  });

  test("units of 512 bytes on disks with 4K sectors", () => {
    const table = read([PROTECTIVE, ...makeGpt({ sectorSize: 4096 })], 4096);
    expect(table?.partitions).toEqual([{ ...entry, start: 2048 * 8, size: 2048 * 8 }]);
    expect(read([PROTECTIVE, ...makeGpt({ sectorSize: 4096 })], 512)?.type).toBe("PMBR");
  });

  test.each(["header", "entries"] as const)("the backup is used if the %s of the first are damaged", (damage) => {
    const table = read([PROTECTIVE, ...makeGpt({ damage }), ...makeGpt({ at: "end", name: "backup" })]);
    expect(table?.partitions[0]?.name).toBe("backup");
  });

  test.each(["header", "entries"] as const)("a wrong checksum of the %s in both is no GPT", (damage) => {
    expect(read([PROTECTIVE, ...makeGpt({ damage })])).toEqual({ type: "PMBR", uuid: null, partitions: [] });
  });

  test("without a protective MBR it is stale", () => {
    expect(read(makeGpt())).toBeNull();
    expect(probe(sparseSource(SIZE, makeGpt())).partitionTable).toBeNull();
  });

  test("a header that was copied to another sector is ignored", () => {
    const [header, entries] = makeGpt({ at: "end" });
    expect(read([PROTECTIVE, { at: 512, bytes: header?.bytes ?? new Uint8Array() }, entries as Patch])?.type).toBe(
      "PMBR",
    );
  });

  test("names beyond the basic plane, and invalid UTF-16", () => {
    expect(read([PROTECTIVE, ...makeGpt({ name: "ä😀 " })])?.partitions[0]?.name).toBe("ä😀");
    expect(read([PROTECTIVE, ...makeGpt({ name: "\ud800x" })])?.partitions[0]?.name).toBe("\\xed\\xa0\\x80x");
  });
});
