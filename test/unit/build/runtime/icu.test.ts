import { beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { trimIcu, trimIcuFile } from "../../../../build/runtime/icu.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { CHANGED, UNCHANGED } from "../../../support/icu-behaviour.ts";

const BEHAVIOUR = join(import.meta.dir, "../../../support/icu-behaviour.ts");
const HEADER_AT = 48;
const HEADER_SIZE = 32;
const START = HEADER_AT + HEADER_SIZE;
const ENTRY = Buffer.from("2000da27", "hex");
const ZSTD = Buffer.from("28b52ffd", "hex");
const NAMES = [
  "brkitr/thaidict.dict",
  "de.res",
  "en.res",
  "pool.res",
  "res_index.res",
  "zone/en_US.res",
  "zone/zu.res",
];

/** A program with a package of these entries, each with 40 bytes: the beginning, its number, and zeros. */
function program(names: readonly string[] = NAMES, prefix = "icudt78l/", begin: Buffer = ENTRY): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt16LE(HEADER_SIZE, 0);
  header.set([0xda, 0x27, 20, 0, 0, 0, 0, 0, 2, 0], 2);
  header.write("CmnD\x01\0\0\0\x03", 12, "latin1");
  const table = Buffer.alloc(4 + names.length * 8);
  table.writeUInt32LE(names.length, 0);
  const texts = Buffer.from(names.map((name) => `${prefix}${name}\0`).join(""));
  const first = Math.ceil((table.length + texts.length) / 16) * 16;
  let nameAt = table.length;
  const entries = names.map((name, index) => {
    table.writeUInt32LE(nameAt, 4 + index * 8);
    table.writeUInt32LE(first + index * 48, 8 + index * 8);
    nameAt += prefix.length + name.length + 1;
    return Buffer.concat([begin, Buffer.alloc(44, index + 1)]);
  });
  const filler = Buffer.alloc(first - table.length - texts.length);
  const code = Buffer.alloc(HEADER_AT, "code CmnD ");
  return Buffer.concat([code, header, table, texts, filler, ...entries, Buffer.from("the code behind the package")]);
}

function trimmed(before: Buffer): Buffer {
  const after = Buffer.from(before);
  trimIcu(after, "bun");
  return after;
}

/** The entries of a package, as ICU reads them. */
function entries(bytes: Buffer): Record<string, number> {
  const count = bytes.readUInt32LE(START);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const nameAt = START + bytes.readUInt32LE(START + 4 + index * 8);
      const dataAt = START + bytes.readUInt32LE(START + 8 + index * 8);
      expect((dataAt - START) % 16).toBe(0);
      return [bytes.toString("latin1", nameAt, bytes.indexOf(0, nameAt)), bytes[dataAt + 4] ?? -1];
    }),
  );
}

function refusal(bytes: Buffer): string {
  const before = Buffer.from(bytes);
  try {
    trimIcu(bytes, "bun");
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    expect(bytes.equals(before)).toBeTrue();
    expect(error.hints).toHaveLength(1);
    return error.message;
  }
  return "";
}

describe("a package", () => {
  test("keeps English and what belongs to no language; the rest becomes zeros", () => {
    for (const begin of [ENTRY, ZSTD]) {
      const before = program(NAMES, "icudt78l/", begin);
      const after = trimmed(before);
      expect(entries(after)).toEqual({ "icudt78l/en.res": 3, "icudt78l/pool.res": 4, "icudt78l/zone/en_US.res": 6 });
      expect(after.length).toBe(before.length);
      expect(after.subarray(0, START).equals(before.subarray(0, START))).toBeTrue();
      // The last entry, whose length is not recorded, and what follows it.
      const end = before.lastIndexOf(begin);
      expect(after.subarray(end).equals(before.subarray(end))).toBeTrue();
      const lastKept = after.lastIndexOf(begin, end - 1);
      expect(after.subarray(lastKept + 48, end)).toEqual(Buffer.alloc(end - lastKept - 48));
      expect(end - lastKept).toBeGreaterThan(4 * 48);
    }
  });

  test("is the same whenever it is made", () => {
    expect(trimmed(program()).equals(trimmed(program()))).toBeTrue();
  });

  const change = (at: number, value: number) => {
    const bytes = program();
    bytes[HEADER_AT + at] = value;
    return bytes;
  };
  const first = START + 4;
  const refusals: readonly (readonly [string, Buffer, string])[] = [
    ["missing", Buffer.from("no ICU; only CmnD"), "it contains no data package (CmnD)"],
    ["with another magic number", change(2, 0xdb), "it contains no data package (CmnD)"],
    ["there twice", Buffer.concat([program(), program()]), "it contains 2 data packages"],
    ["big-endian", change(8, 1), "its data package is big-endian"],
    ["in EBCDIC", change(9, 1), "its data package is for another machine"],
    ["of another format version", change(16, 2), "its data package has the format version 2.0.0.0"],
    ["with a short header", change(0, 20), "its data package has a malformed header"],
    ["cut off", program().subarray(0, START + 3), "its data package has a malformed header"],
    ["without entries", change(HEADER_SIZE, 1), "its data package has 1 entries"],
    ["with too many entries", change(HEADER_SIZE + 3, 0xff), "its data package has 4278190087 entries"],
    [
      "of another ICU",
      program(NAMES, "icudt79l/"),
      'its data package contains "icudt79l/brkitr/thaidict.dict", not files of ICU 78 (icudt78l/…)',
    ],
    [
      "with names out of order",
      program(["en.res", "de.res", "zu.res"]),
      "its data package does not sort de.res by name",
    ],
    ["with a name outside", patched(first, 0xffffff), "a name in its data package is malformed"],
    ["with data outside", patched(first + 4, 0xfffff0), "its data package has brkitr/thaidict.dict at a wrong place"],
    ["with data out of order", patched(first + 12, 16), "its data package has de.res at a wrong place"],
    [
      "without alignment",
      patched(first + 12, program().readUInt32LE(first + 12) + 4),
      "its data package has de.res at a wrong place",
    ],
    ["with a last entry to keep", program(["de.res", "en.res"]), "its last entry is en.res, which is one to keep"],
    [
      "compressed otherwise",
      program(NAMES, "icudt78l/", Buffer.from("\x1f\x8b\x08\0")),
      "its entry en.res is in an unknown format",
    ],
  ];
  test.each(refusals)("%s is refused, and stays as it is", (_, bytes, reason) => {
    expect(refusal(bytes)).toBe(`cannot trim the ICU data of bun: ${reason}`);
  });

  function patched(at: number, value: number): Buffer {
    const bytes = program();
    bytes.writeUInt32LE(value, at);
    return bytes;
  }

  test("with any damage is trimmed or refused", () => {
    const place = fc.tuple(fc.nat(program().length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(place, { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(program().length)),
        (damage, cut) => {
          const bytes = program();
          for (const [at, value] of damage) bytes[at] = value;
          refusal(bytes.subarray(0, cut ?? bytes.length));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe("the runtime with trimmed data", () => {
  let path = "";

  beforeAll(() => {
    path = join(scratchDirectory(), "bun");
    copyFileSync(process.execPath, path);
    trimIcuFile(path);
  });

  function behaviour(bun: string, environment: Readonly<Record<string, string>>): ReadonlyMap<string, unknown> {
    const run = Bun.spawnSync([bun, BEHAVIOUR], { env: { ...environment }, stdout: "pipe", stderr: "pipe" });
    expect([run.exitCode, run.stderr.toString()]).toEqual([0, ""]);
    const lines = run.stdout.toString().trim().split("\n");
    return new Map(lines.map((line) => JSON.parse(line) as [string, unknown]));
  }

  const environments = [{}, { LANG: "de_DE.UTF-8", TZ: "Europe/Berlin" }, { LC_ALL: "C", TZ: "America/New_York" }];
  test.each(environments)("does the same as the untouched one, with %j", (environment) => {
    const [theirs, ours] = [process.execPath, path].map((bun) => behaviour(bun, environment));
    for (const [name] of UNCHANGED) expect([name, ours?.get(name)]).toEqual([name, theirs?.get(name)]);
    expect([...(theirs?.keys() ?? [])]).toEqual([...UNCHANGED, ...CHANGED].map(([name]) => name));
    for (const [name, , value] of CHANGED) {
      expect([name, ours?.get(name)]).toEqual([name, value]);
      expect([name, theirs?.get(name)]).not.toEqual([name, value]);
    }
  });

  test("takes 7 MiB less of an image", () => {
    const [before = 0, after = 0] = [process.execPath, path].map((file) => {
      const bytes = readFileSync(file);
      const at = bytes.indexOf("icudt78l/");
      return Bun.zstdCompressSync(bytes.subarray(at, at + (12 << 20)), { level: 9 }).length;
    });
    expect(before - after).toBeGreaterThan(7_000_000);
  });
});
