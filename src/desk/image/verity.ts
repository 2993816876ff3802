import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { findHash } from "../../crypto/hash.ts";
import { makeTree } from "../../formats/verity/make-tree.ts";
import { type VerityFormat, writeVeritySuperblock } from "../../formats/verity/superblock.ts";
import { firstHashBlock, planTree } from "../../formats/verity/tree.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import { attempt } from "../host.ts";
import { type Row, row } from "../report-rows.ts";
import { haveTool } from "../tool.ts";

const BLOCK_BYTES = 4096;
const SALT_BYTES = 32;

/** What makes a tree: its random parts are chosen here, so that both programs make the same. */
export interface TreeRecipe {
  readonly salt: Uint8Array;
  readonly uuid: string;
  /** The path of veritysetup; null: the tree is made here. */
  readonly program: string | null;
}

/** Writes FILE.verity and FILE.roothash for an image file; returns what was made. Throws BootError. */
export function makeImageTree(file: string, voice: Voice): { output: string; rows: readonly Row[] } {
  const recipe = { salt: randomBytes(SALT_BYTES), uuid: randomUUID(), program: haveTool("veritysetup") };
  const rootHash = writeTree(file, recipe, voice);
  const madeBy = recipe.program === null ? "levain" : "veritysetup";
  const rows = [
    row("root hash", { hash: rootHash, madeBy }, (made) => `${made.hash}, made by ${made.madeBy}`),
    row("parameter", `roothash=${rootHash}`, String),
  ];
  return { output: `${file}.verity`, rows };
}

/** Writes both files; returns the root hash. Nothing is left behind if that fails. */
export function writeTree(file: string, recipe: TreeRecipe, voice: Voice): string {
  const name = printable(file);
  const data = attempt(`cannot read ${name}`, () => openSync(file, "r"));
  try {
    const { size } = fstatSync(data);
    if (size === 0 || size % BLOCK_BYTES !== 0) {
      throw new BootError(`${name} has ${size} bytes: dm-verity needs whole blocks of ${BLOCK_BYTES} bytes`, {
        hint: `fill it up: truncate -s %${BLOCK_BYTES} ${name}`,
      });
    }
    return writeFiles(data, file, size, recipe, voice);
  } finally {
    closeSync(data);
  }
}

function writeFiles(data: number, file: string, size: number, recipe: TreeRecipe, voice: Voice): string {
  const { program } = recipe;
  try {
    const rootHash =
      program === null ? writeOwnTree(data, file, size, recipe, voice) : runVeritysetup(file, recipe, program);
    attempt(`cannot write ${printable(file)}.roothash`, () => writeFileSync(`${file}.roothash`, `${rootHash}\n`));
    return rootHash;
  } catch (error) {
    for (const made of [".verity", ".roothash"]) rmSync(`${file}${made}`, { force: true });
    throw error;
  }
}

function runVeritysetup(file: string, { salt, uuid }: TreeRecipe, program: string): string {
  const options = [`--salt=${Buffer.from(salt).toString("hex")}`, `--uuid=${uuid}`];
  const argv = [program, "format", ...options, file, `${file}.verity`];
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { env: { ...process.env, LC_ALL: "C" } });
  const rootHash = /^Root hash:\s+([0-9a-f]+)$/m.exec(stdout.toString())?.[1];
  if (exitCode === 0 && rootHash !== undefined) return rootHash;
  throw new BootError(`veritysetup could not make the hash tree of ${printable(file)}`, {
    seen: stderr.toString().trim().split("\n").slice(0, 5).map(printable),
  });
}

function writeOwnTree(data: number, file: string, size: number, { salt, uuid }: TreeRecipe, voice: Voice): string {
  const format: VerityFormat = {
    ...{ hashType: 1, uuid, algorithm: "sha256", salt },
    ...{ dataBlock: BLOCK_BYTES, hashBlock: BLOCK_BYTES, dataBlocks: size / BLOCK_BYTES },
  };
  const hash = findHash(format.algorithm);
  const tree = hash && planTree(format, hash, firstHashBlock(format, 0, true));
  if (!tree) throw new BootError("this runtime has no SHA-256");
  const target = attempt(`cannot write ${printable(file)}.verity`, () => openSync(`${file}.verity`, "w", 0o644));
  try {
    const write = (at: number, bytes: Uint8Array) =>
      attempt(`cannot write ${printable(file)}.verity`, () => writeAll(target, at, bytes));
    const head = new Uint8Array(BLOCK_BYTES);
    head.set(writeVeritySuperblock(format));
    write(0, head);
    const read = (at: number, length: number) =>
      attempt(`cannot read ${printable(file)}`, () => readAt(data, at, length));
    const progress = (done: number) => voice.progress(`hashing, ${formatBytes(done)} of ${formatBytes(size)}`);
    return Buffer.from(makeTree(tree, { size, read }, { write, progress })).toString("hex");
  } finally {
    closeSync(target);
  }
}

function writeAll(fd: number, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

function readAt(fd: number, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
