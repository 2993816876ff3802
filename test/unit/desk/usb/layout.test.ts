import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createIdentity } from "../../../../src/desk/usb/identity.ts";
import { formatSfdiskScript, layOutDisk, MIB } from "../../../../src/desk/usb/layout.ts";
import { isUuid } from "../../../../src/formats/bytes.ts";
import { readPartitionTable } from "../../../../src/formats/partitions/partition-table.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";

const identity = createIdentity(new TextEncoder().encode("a seed"));
const PARTS = [
  { role: "boot", bytes: 4 * MIB },
  { role: "root", bytes: 10 * MIB + 1 },
  { role: "changes", bytes: 16 * MIB },
] as const;

test("partitions follow each other at whole MiB, and only GPT needs the last one", () => {
  const gpt = layOutDisk("gpt", PARTS, identity);
  expect(gpt.partitions.map(({ start, bytes }) => [start / MIB, bytes / MIB])).toEqual([
    [1, 4],
    [5, 11],
    [16, 16],
  ]);
  expect(gpt.bytes).toBe(33 * MIB);
  expect(layOutDisk("mbr", PARTS, identity).bytes).toBe(32 * MIB);
});

test("the same seed gives the same names, another one others", () => {
  const names = (seed: string) => {
    const other = createIdentity(new TextEncoder().encode(seed));
    return layOutDisk("gpt", PARTS, other).partitions.map(({ partUuid }) => partUuid);
  };
  expect(names("a seed")).toEqual(names("a seed"));
  expect(new Set([...names("a seed"), ...names("another")]).size).toBe(6);
  expect(names("a seed").every(isUuid)).toBe(true);
});

test.each(["gpt", "mbr"] as const)(
  "sfdisk writes a %s table in which the probe finds each partition by its name",
  async (table) => {
    const layout = layOutDisk(table, PARTS, identity);
    const disk = join(scratchDirectory(), "disk");
    writeFileSync(disk, "");
    truncateSync(disk, layout.bytes);
    await run(["sfdisk", "--quiet", disk], { stdin: formatSfdiskScript(layout, "RYE", identity) });
    const bytes = await Bun.file(disk).bytes();
    const source = { size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) };
    const found = readPartitionTable(source, 512)?.partitions ?? [];
    expect(found.map(({ start, size, uuid }) => ({ start: start * 512, bytes: size * 512, partUuid: uuid }))).toEqual(
      layout.partitions.map(({ start, bytes: size, partUuid }) => ({ start, bytes: size, partUuid })),
    );
    if (table === "gpt") expect(found.map(({ name }) => name)).toEqual(["RYE-boot", "RYE-root", "RYE-changes"]);
    // Bit 2: what syslinux boots.
    if (table === "gpt") expect(found.map(({ attributes }) => attributes)).toEqual([4n, 0n, 0n]);
  },
);
