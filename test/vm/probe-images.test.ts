import { beforeAll, describe, expect, test } from "bun:test";
import { ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describeImages } from "../../src/desk/commands/disks/devices.ts";
import { formatExport } from "../../src/desk/probe/device-facts.ts";
import type { ByteSource } from "../../src/formats/facts.ts";
import { readPartitionTable } from "../../src/formats/partitions/partition-table.ts";
import { probe } from "../../src/formats/probe.ts";
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import type { RandomReader } from "../../src/machine/machine.ts";
import { cacheDirectory, scratchDirectory } from "../support/cache.ts";
import { formatPartition } from "../support/probe/format-partition.ts";
import { HAND_MADE } from "../support/probe/hand-made.ts";
import type { HandMade } from "../support/probe/header.ts";
import type { ImageRecipe } from "../support/probe/image-recipe.ts";
import { provideImage } from "../support/probe/image-store.ts";
import { askBlkid, listPartitions, type Outcome } from "../support/probe/real-tools.ts";
import { RECIPES } from "../support/probe/recipes.ts";
import { readRecordedImages } from "../support/probe/recorded-images.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// Not a guest: every image that Debian's tools make, and every header made by hand, beside the real blkid and partx of the
// newest util-linux (Debian's sid, unpacked in the cache). The first run makes the images.
const MAKE_TIMEOUT_MS = QUEUE_TIMEOUT_MS;
const machine = createLinuxMachine();

/** Where levain and libblkid are meant to differ; each has its line in docs/probe.md. */
const DIFFERENT_PARTITIONS = ["dos-primary 4096", "dos-freebsd 4096"];
const SECOND_HEADER = ["luks2-second-header"];

function askLevain(path: string): Outcome {
  const { output, status } = describeImages(machine, [path], { json: false, sectorSize: null });
  return { output, status };
}

function listOurs(path: string, sectorSize: number): readonly string[] {
  const reader = machine.openReader(path);
  try {
    return (readPartitionTable(reader, sectorSize)?.partitions ?? []).map(formatPartition);
  } finally {
    reader.close();
  }
}

function recipeOf(name: string): ImageRecipe {
  const found = RECIPES.find((recipe) => recipe.name === name);
  if (found === undefined) throw new Error(`no recipe ${name}`);
  return found;
}

function writeHandMade(directory: string, { name, size, patches }: HandMade): string {
  const path = join(directory, name);
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  for (const { at, bytes } of patches) writeSync(file, bytes, 0, bytes.length, at);
  return path;
}

describe("images of real tools", () => {
  test.each(RECIPES.map((recipe) => [recipe.name, recipe] as const))(
    "%s",
    async (_name, recipe) => {
      const path = await provideImage(recipe);
      if (SECOND_HEADER.includes(recipe.name)) {
        expect(askBlkid(path)).toEqual({ output: "", status: 2 });
        expect(askLevain(path)).toEqual({ output: expect.stringContaining("TYPE=crypto_LUKS"), status: 0 });
      } else expect(askLevain(path)).toEqual(askBlkid(path));
      for (const sectorSize of [512, 4096]) {
        if (DIFFERENT_PARTITIONS.includes(`${recipe.name} ${sectorSize}`)) continue;
        expect(listOurs(path, sectorSize)).toEqual(listPartitions(path, sectorSize));
      }
    },
    MAKE_TIMEOUT_MS,
  );
});

describe("headers made by hand", () => {
  let directory = "";
  beforeAll(() => {
    directory = scratchDirectory();
  });

  test.each(HAND_MADE.map((image) => [image.name, image] as const))("%s", (_name, image) => {
    const path = writeHandMade(directory, image);
    const theirs = askBlkid(path);
    expect(askLevain(path)).toEqual(theirs);
    // What the unit tests take for blkid's word is.
    const told = theirs.output.trimEnd().split("\n").slice(1).join(" | ");
    expect(image.tells).toBe(theirs.status === 8 ? "ambivalent" : told);
    expect(listOurs(path, 512)).toEqual(listPartitions(path, 512));
  });
});

describe("recorded images", () => {
  const known = readRecordedImages().filter(({ name }) => name.startsWith("util-linux "));

  test.each(known.map((image) => [image.name, image] as const))("%s", (_name, image) => {
    const path = writeHandMade(scratchDirectory(), image);
    const { output } = askBlkid(path);
    expect(output.trimEnd().split("\n").slice(1).join(" | ")).toBe(image.tells);
    expect(askLevain(path)).toEqual({ output, status: 0 });
  });
});

describe("damaged images of real tools", () => {
  const HEAD_BYTES = 140_000;

  /** The image with some bytes of its start or end changed, and its end cut off; a read outside of it throws. */
  function damage(
    reader: RandomReader,
    size: number,
    flips: readonly (readonly [at: number, value: number])[],
  ): ByteSource {
    const placeOf = (at: number) => (at < HEAD_BYTES ? at : size - 2 * HEAD_BYTES + at);
    return {
      size,
      read(offset, length) {
        if (offset < 0 || length <= 0 || offset + length > size) throw new Error(`${length} at ${offset} of ${size}`);
        const bytes = reader.read(offset, length);
        const inside = flips.filter(([at]) => placeOf(at) >= offset && placeOf(at) < offset + length);
        for (const [at, value] of inside) bytes[placeOf(at) - offset] = value;
        return bytes;
      },
    };
  }

  test.each(RECIPES.map((recipe) => [recipe.name, recipe] as const))("%s", async (_name, recipe) => {
    const reader = machine.openReader(await provideImage(recipe));
    const flip = fc.tuple(fc.nat(2 * HEAD_BYTES), fc.nat(255));
    const part = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(fc.array(flip, { maxLength: 200 }), part, (flips, kept) => {
        const source = damage(reader, Math.floor(reader.size * kept), flips);
        expect(formatExport("x", probe(source).tags)).toMatch(/^[ -~\n]*$/);
        readPartitionTable(source, 512);
      }),
      { numRuns: 20 },
    );
    reader.close();
  });
});

describe("many", () => {
  test("500 files in under a second of CPU", async () => {
    const paths: string[] = [];
    for (const recipe of RECIPES) paths.push(await provideImage(recipe));
    const many = Array.from({ length: 500 }, (_, i) => paths[i % paths.length] ?? "");
    const before = process.cpuUsage();
    describeImages(machine, many, { json: false, sectorSize: null });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1000);
  });

  test("several at once: a blank line between, and the exit status of the first that was not recognised", async () => {
    const find = async (name: string) => provideImage(recipeOf(name));
    const [ext4, zeros, swap] = [await find("ext4"), await find("zeros"), await find("swap")];
    const all = describeImages(machine, [ext4, zeros, swap, join(cacheDirectory(), "no-such-file")], {
      json: false,
      sectorSize: null,
    });
    expect(all.output).toBe(`${askBlkid(ext4).output}\n${askBlkid(swap).output}`);
    expect(all.status).toBe(2);
    expect(all.problems.join("\n")).toContain("no-such-file: cannot be read (ENOENT)");
  });
});
