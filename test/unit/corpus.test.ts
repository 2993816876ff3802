import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSegments } from "../../src/desk/inspect/segments.ts";
import { describePartition, formatExport } from "../../src/desk/probe/device-facts.ts";
import { readBinaryIndex } from "../../src/drivers/index/binary-index.ts";
import { parseModprobeConfig } from "../../src/drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../src/drivers/index/module-index.ts";
import { resolveModule } from "../../src/drivers/index/resolution.ts";
import { readPartitionTable } from "../../src/formats/partitions/partition-table.ts";
import { probe } from "../../src/formats/probe.ts";
import { decodePrintable } from "../../src/formats/text.ts";
import { parseCommandLine } from "../../src/parameters/cmdline.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { BootError } from "../../src/problems/errors.ts";
import { report } from "../../src/problems/report.ts";
import { sparseSource } from "../support/probe/sparse-source.ts";

// Inputs that somebody who means harm would write, and some that once went wrong; test/corpus/README.md tells their form.
const CORPUS = join(import.meta.dir, "../corpus");
const UNPACKED_LIMIT_BYTES = 1 << 20;

function casesOf(kind: string): readonly (readonly [name: string, bytes: Buffer])[] {
  const names = readdirSync(join(CORPUS, kind)).sort();
  expect(names.length).toBeGreaterThan(5);
  return names.map((name) => [name, readFileSync(join(CORPUS, kind, name))] as const);
}

/** Whatever is printed must not reach a terminal as anything but text. */
function expectPrintable(lines: readonly string[]): void {
  expect(lines.join("\n")).not.toMatch(/[^\P{Cc}\n]/u);
}

interface DiskCase {
  readonly size: number;
  /** What the real blkid says of it: its lines but the first, "ambivalent", or nothing. */
  readonly tells: string;
  readonly patches: readonly (readonly [at: number, hex: string])[];
}

describe("disks", () => {
  test.each(casesOf("disks"))("%s", (_name, bytes) => {
    const { size, tells, patches }: DiskCase = JSON.parse(bytes.toString());
    const open = () =>
      sparseSource(
        size,
        patches.map(([at, hex]) => ({ at, bytes: Buffer.from(hex, "hex") })),
      );
    const source = open();
    const { tags, ambivalent } = probe(source);
    const told = formatExport("x", tags).trimEnd().split("\n").slice(1).join(" | ");
    expect(ambivalent.length > 0 ? "ambivalent" : told).toBe(tells);
    expect(source.count.bytes).toBeLessThanOrEqual(1 << 20);
    expectPrintable(tags.map(({ value }) => decodePrintable(value)));
    for (const sectorSize of [512, 4096]) {
      const partitions = readPartitionTable(open(), sectorSize)?.partitions ?? [];
      expect(partitions.length).toBeLessThan(300);
      expectPrintable(partitions.map((partition) => JSON.stringify(describePartition(partition))));
    }
  });
});

describe("initramfs images", () => {
  test.each(casesOf("images"))("%s", (_name, bytes) => {
    const { segments, problem } = readSegments(bytes, UNPACKED_LIMIT_BYTES);
    const problems = [...segments.flatMap((segment) => segment.problems), ...(problem === null ? [] : report(problem))];
    expect(problems.length).toBeGreaterThan(0);
    for (const { offset, size, unpackedSize } of segments) {
      expect(offset + size).toBeLessThanOrEqual(bytes.length);
      expect(unpackedSize).toBeLessThanOrEqual(UNPACKED_LIMIT_BYTES);
    }
  });
});

describe("command lines", () => {
  test.each(casesOf("command-lines"))("%s", (_name, bytes) => {
    const { words, initArguments } = parseCommandLine(bytes);
    expect(words.length + initArguments.length).toBeLessThanOrEqual(bytes.length);
    try {
      const { plan, warnings } = makePlan({ cmdline: bytes, manifest: null });
      expectPrintable(warnings);
      expect(Object.getPrototypeOf(plan.modules.parameters)).toBe(Object.prototype);
      JSON.stringify(plan);
    } catch (error) {
      expect(error).toBeInstanceOf(BootError);
      expectPrintable(report(error));
    }
  });
});

interface ModuleCase {
  /** The texts of depmod's files and of one modprobe.d file, each "" where it is left out. */
  readonly dep?: string;
  readonly alias?: string;
  readonly softdep?: string;
  readonly config?: string;
  /** An index of depmod's, in hexadecimal, that must be refused. */
  readonly binary?: string;
  readonly ask: string;
  /** What is done for it, in order: "load a", "skip b", … */
  readonly loads: readonly string[];
}

describe("modules files", () => {
  test.each(casesOf("modules"))("%s", (_name, bytes) => {
    const { dep = "", alias = "", softdep = "", config = "", ...given }: ModuleCase = JSON.parse(bytes.toString());
    if (given.binary !== undefined) expect(readBinaryIndex(Buffer.from(given.binary, "hex"))).toBeNull();
    const index = buildModuleIndex("6.1.0", { dep, alias, softdep, order: "", builtin: "", builtinModinfo: "" });
    const source = { index, config: parseModprobeConfig([{ name: "a.conf", text: `${config}\n${softdep}` }]) };
    const actions = resolveModule(source, given.ask, true).flatMap((target) => target.actions);
    expect(actions.map((action) => `${action.do} ${"name" in action ? action.name : ""}`.trim())).toEqual([
      ...given.loads,
    ]);
  });
});
