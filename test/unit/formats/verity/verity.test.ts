import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { findHash } from "../../../../src/crypto/hash.ts";
import { makeTree } from "../../../../src/formats/verity/make-tree.ts";
import {
  readVeritySuperblock,
  type VerityFormat,
  writeVeritySuperblock,
} from "../../../../src/formats/verity/superblock.ts";
import { checkFirstPath, firstHashBlock, type HashTree, planTree } from "../../../../src/formats/verity/tree.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { run } from "../../../support/command.ts";
import { byteSource, whatItSays } from "../../../support/luks/sources.ts";

const UUID = "8cfdf1cd-0a8c-4d3a-9d2c-6c4b3a1f0e5d";

/** Bytes that differ in each block. */
function makeData(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) data[at] = (at * 7 + (at >>> 9) * 13) & 0xff;
  return data;
}

/** What the real veritysetup makes of `data`: the hash file, and the root hash. */
async function formatReally(data: Uint8Array, options: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), "verity-"));
  try {
    writeFileSync(join(directory, "data"), data);
    const output = await run(["veritysetup", "format", `--uuid=${UUID}`, ...options, "data", "hash"], {
      cwd: directory,
    });
    const rootHash = /Root hash:\s+([0-9a-f]+)/.exec(output)?.[1] ?? "";
    return { hashes: new Uint8Array(readFileSync(join(directory, "hash"))), rootHash };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What we make of it. */
function formatHere(data: Uint8Array, format: VerityFormat, offset: number) {
  const tree = treeOf(format, offset);
  const hashes = new Uint8Array(tree.end * format.hashBlock);
  hashes.set(writeVeritySuperblock(format), offset);
  const write = (at: number, bytes: Uint8Array) => hashes.set(bytes, at);
  const rootHash = makeTree(tree, byteSource(data), { write, progress: () => undefined });
  return { hashes, rootHash: rootHash.toHex(), tree };
}

function treeOf(format: VerityFormat, offset: number): HashTree {
  const hash = findHash(format.algorithm);
  const tree = hash && planTree(format, hash, firstHashBlock(format, offset, true));
  if (!tree) throw new Error("no such tree");
  return tree;
}

const BASE = {
  hashType: 1,
  uuid: UUID,
  algorithm: "sha256",
  dataBlock: 4096,
  hashBlock: 4096,
  dataBlocks: 300,
  salt: Uint8Array.fromHex("00ff10"),
} as const satisfies VerityFormat;

const CASES: readonly (readonly [string, VerityFormat, readonly string[], number])[] = [
  ["the defaults, with two levels", BASE, [], 0],
  ["one data block, which needs no tree", { ...BASE, dataBlocks: 1 }, [], 0],
  ["two data blocks and no salt", { ...BASE, dataBlocks: 2, salt: new Uint8Array() }, [], 0],
  [
    "Chrome OS's type with a hash that is no power of two",
    { ...BASE, hashType: 0, algorithm: "sha1" },
    ["--format=0", "--hash=sha1"],
    0,
  ],
  ["padded digests", { ...BASE, algorithm: "sha384" }, ["--hash=sha384"], 0],
  [
    "small hash blocks and many levels",
    { ...BASE, dataBlock: 1024, hashBlock: 512, dataBlocks: 999, algorithm: "sha512" },
    ["--hash=sha512", "--data-block-size=1024", "--hash-block-size=512"],
    0,
  ],
  ["an offset", BASE, ["--hash-offset=8192"], 8192],
];

test.each(CASES)("our tree equals that of veritysetup: %s", async (_, format, options, offset) => {
  const data = makeData(format.dataBlocks * format.dataBlock);
  const salt = format.salt.length === 0 ? "-" : format.salt.toHex();
  const real = await formatReally(data, [`--salt=${salt}`, ...options]);
  const ours = formatHere(data, format, offset);
  expect(ours.rootHash).toBe(real.rootHash);
  expect(Buffer.compare(ours.hashes, real.hashes.subarray(0, ours.hashes.length))).toBe(0);
  expect(readVeritySuperblock(byteSource(real.hashes), offset)).toEqual(format);
  expect(
    checkFirstPath(ours.tree, Uint8Array.fromHex(real.rootHash), byteSource(data), byteSource(real.hashes)),
  ).toBeNull();
});

test("the first path shows a wrong root hash, a damaged tree and other data", () => {
  const data = makeData(BASE.dataBlocks * BASE.dataBlock);
  const { hashes, rootHash, tree } = formatHere(data, BASE, 0);
  const root = Uint8Array.fromHex(rootHash);
  const check = (parts: { root?: Uint8Array; data?: Uint8Array; hashes?: Uint8Array }) =>
    checkFirstPath(tree, parts.root ?? root, byteSource(parts.data ?? data), byteSource(parts.hashes ?? hashes));
  expect(check({ root: new Uint8Array(32) })).toEqual({ kind: "hash", level: 1, offset: 4096 });
  expect(check({ hashes: hashes.with(2 * 4096, 1) })).toEqual({ kind: "hash", level: 0, offset: 8192 });
  expect(check({ hashes: hashes.subarray(0, 4096) })).toEqual({ kind: "hash", level: 1, offset: 4096 });
  expect(check({ data: data.with(9, 1) })).toEqual({ kind: "data" });
  expect(check({ data: new Uint8Array() })).toEqual({ kind: "data" });
  // Only the first path is followed: a block further behind is the kernel's.
  expect(check({ data: data.with(5 * 4096, 1) })).toBeNull();
});

test.each([
  [{ 8: 2 }, "version 2 is unknown"],
  [{ 12: 2 }, "hash type 2 is unknown"],
  [{ 64: 1 }, "blocks of 4097 bytes are not possible"],
  [{ 70: 16 }, "blocks of 1052672 bytes are not possible"],
  [{ 72: 0, 73: 0 }, "0 data blocks are not possible"],
  [{ 79: 0x7f }, "it has too many data blocks"],
  [{ 78: 0x0f }, "data blocks are not possible"],
  [{ 81: 2 }, "its salt of 515 bytes is too long"],
  [{ 32: 0x20 }, "its hash has no valid name"],
])("a malformed superblock is reported: %j", (changes, words) => {
  const bytes = writeVeritySuperblock(BASE);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  expect(whatItSays(() => readVeritySuperblock(byteSource(bytes), 0))).toContain(words);
});

/** Where the fields are that decide something, so that most changes meet one: version, type, name, sizes, count, salt. */
const FIELDS = [8, 12, 32, 33, 39, 64, 65, 66, 67, 68, 69, 70, 71, 72, 75, 78, 79, 80, 81];

/** The limits of the kernel's target and of its table, and a walk through the tree that ends. */
function requireUsable(format: VerityFormat, source: ReturnType<typeof byteSource>): void {
  for (const size of [format.dataBlock, format.hashBlock]) {
    expect(Array.from({ length: 11 }, (_, power) => 512 << power)).toContain(size);
  }
  expect(format.dataBlocks).toBeGreaterThan(0);
  expect(Number.isSafeInteger(format.dataBlocks * format.dataBlock)).toBe(true);
  expect(format.salt.length).toBeLessThanOrEqual(256);
  expect(format.algorithm).toMatch(/^[\w()-]+$/);
  const hash = findHash(format.algorithm);
  const tree = hash && planTree(format, hash, 1);
  expect(tree?.levels.length ?? 0).toBeLessThan(64);
  if (tree) checkFirstPath(tree, new Uint8Array(32), source, source);
}

test("any bytes are a superblock that the kernel could use, none, or a BootError; never a long read", () => {
  const byte = fc.oneof(fc.constantFrom(0, 1, 2, 4, 8, 16, 32, 64, 128), fc.nat(255));
  const change = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...FIELDS), fc.nat(511)), byte), { maxLength: 8 });
  fc.assert(
    fc.property(change, fc.oneof(fc.constant(600), fc.nat(600)), (changes, cut) => {
      const bytes = writeVeritySuperblock(BASE);
      for (const [at, value] of changes) bytes[at] = value;
      const source = byteSource(bytes.subarray(0, cut));
      try {
        const format = readVeritySuperblock(source, 0);
        if (format !== null) requireUsable(format, source);
      } catch (error) {
        if (!(error instanceof BootError)) throw error;
      }
      expect(source.count.reads).toBeLessThan(4);
    }),
    { numRuns: 2000 },
  );
});
