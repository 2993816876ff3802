import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { describePartition, formatExport } from "../../../src/desk/probe/device-facts.ts";
import { READ_LIMIT_BYTES } from "../../../src/formats/area.ts";
import { readPartitionTable, TABLE_FORMATS } from "../../../src/formats/partitions/partition-table.ts";
import { probe, SIGNATURES } from "../../../src/formats/probe.ts";
import { decodePrintable } from "../../../src/formats/text.ts";
import { cpuMs } from "../../support/cpu-time.ts";
import { HAND_MADE } from "../../support/probe/hand-made.ts";
import { readRecordedImages } from "../../support/probe/recorded-images.ts";
import { latin1, type Patch, sparseSource } from "../../support/probe/sparse-source.ts";

const RUNS = { numRuns: 300 };
const SECTOR_SIZES = [512, 4096];
const KINDS = ["file", "disk", "partition", "optical"] as const;

/** Examines everything; `sparseSource` throws where something is read that is not there. */
function examineAll(size: number, patches: readonly Patch[], kind: (typeof KINDS)[number], sectorSize: number): void {
  const source = sparseSource(size, patches);
  const startMs = cpuMs();
  const result = probe(source, { kind, sectorSize });
  expect(source.count.bytes).toBeLessThanOrEqual(READ_LIMIT_BYTES);
  expect(formatExport("x", result.tags)).toMatch(/^[\x20-\x7e\n]*$/);
  for (const { value } of result.tags) expect(decodePrintable(value)).not.toMatch(/\p{Cc}/u);
  const table = readPartitionTable(sparseSource(size, patches), sectorSize);
  const numbers = table?.partitions.map(({ number }) => number) ?? [];
  expect(new Set(numbers).size).toBe(numbers.length);
  JSON.stringify(table?.partitions.map(describePartition));
  expect(cpuMs() - startMs).toBeLessThan(2000);
}

const size = fc.oneof(
  fc.integer({ min: 0, max: 4096 }),
  fc.integer({ min: 0, max: 2 ** 21 }),
  fc.constantFrom(2 ** 26, 2 ** 31 + 513, 2 ** 41, 2 ** 52),
);
const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });
const setting = fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom(...SECTOR_SIZES));

describe("any content of a disk is probed in bounded time and reads", () => {
  test("random bytes", () => {
    const patches = fc.array(fc.record({ at: fc.integer({ min: 0, max: 70000 }), bytes: bytes(3000) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(size, patches, setting, (bytesTotal, some, [kind, sectorSize]) =>
        examineAll(bytesTotal, some, kind, sectorSize),
      ),
      RUNS,
    );
  });

  test("every magic in a sea of random bytes", () => {
    const magics = [...SIGNATURES, ...TABLE_FORMATS].flatMap((format) => format.magics);
    const sea = fc.tuple(fc.constantFrom(...magics), bytes(4096), fc.integer({ min: 0, max: 2048 }));
    fc.assert(
      fc.property(size, fc.array(sea, { minLength: 1, maxLength: 3 }), setting, (total, drops, [kind, sectorSize]) => {
        const patches = drops.flatMap(([magic, around, before]) => {
          const at = magic.at < 0 ? Math.max(0, total + magic.at) : magic.at;
          return [
            { at: Math.max(0, at - before), bytes: around },
            { at, bytes: latin1(magic.text) },
          ];
        });
        examineAll(total, patches, kind, sectorSize);
      }),
      { numRuns: 600 },
    );
  });

  test("real headers with changed bytes and truncated devices", () => {
    const flip = fc.record({ patch: fc.nat(), byte: fc.nat(), value: fc.constantFrom(0, 1, 0x7f, 0x80, 0xff) });
    fc.assert(
      fc.property(
        fc.constantFrom(...HAND_MADE, ...readRecordedImages()),
        fc.array(flip, { maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        setting,
        (image, flips, part, [kind, sectorSize]) => {
          const patches = image.patches.map((patch) => ({ ...patch, bytes: new Uint8Array(patch.bytes) }));
          for (const { patch, byte, value } of flips) {
            const target = patches[patch % Math.max(1, patches.length)]?.bytes ?? new Uint8Array(1);
            target[byte % target.length] = value;
          }
          examineAll(part < 0.5 ? image.size : Math.floor(image.size * part), patches, kind, sectorSize);
        },
      ),
      { numRuns: 600 },
    );
  });
});
