import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { type Compression, compress } from "../archive/compress.ts";
import { writeCpio } from "../archive/cpio.ts";
import { estimateMemoryOf, type MemoryNeed } from "../archive/memory.ts";
import { checkWritable, writeWhole } from "../archive/output.ts";
import type { ImageEntry, ImageTree } from "../archive/tree.ts";
import { attempt } from "../attempt.ts";
import { type Inspection, inspectImage } from "../inspect/inspection.ts";
import { listFiles } from "../inspect/unpacked-tree.ts";
import { addInit } from "../program/program.ts";
import { warnOfCopy } from "./secrets.ts";

/** What `levain graft` was asked for. */
export interface GraftOptions {
  /** Another tool's initramfs. */
  readonly image: string;
  readonly output: string;
  /** The program that becomes /init; null for this one. */
  readonly init: string | null;
  readonly compression: Compression;
  /** What the other image may take in memory, bytes; null is what real images never take. */
  readonly maxSize: number | null;
}

/** What came of it. */
export interface GraftSummary {
  readonly output: string;
  readonly before: Inspection;
  readonly imageBytes: number;
  readonly memory: MemoryNeed;
  /** Where more users can read the new image than the other tool's; null where not. */
  readonly exposure: string | null;
}

// The kernel looks for archives at multiples of four, and lz4 data ends for it at four zeros; cpio(1) pads to 512.
const ALIGN_BYTES = 512;
const LEAST_PADDING = 4;

/**
 * Writes the bytes of an image and after them an archive with nothing but /init: of two members with one name the later one
 * counts, so all else stays as it is. Throws BootError, also where the kernel would not read the image up to its end.
 */
export async function graftInit(options: GraftOptions): Promise<GraftSummary> {
  const output = resolve(options.output);
  const before = inspectImage(options.image, options.maxSize);
  refuseDamaged(before);
  checkWritable(output);
  const init = readInit(options.init);
  const base = attempt(`cannot read ${options.image}`, () => readFileSync(options.image));
  const imageBytes = await writeWhole(output, joinImages(base, compress(writeCpio([init]), options.compression)));
  const replaced = before.tree.root.children.get("init");
  const sizes = listFiles(before.tree.root)
    .filter((file) => file !== replaced)
    .map(({ data }) => data.length);
  return {
    exposure: warnOfCopy(options.image, output),
    output,
    before,
    imageBytes,
    memory: estimateMemoryOf([...sizes, init.content.size], imageBytes),
  };
}

/** /init alone: a directory above it, or a link beside it, could be a symbolic link in the other image. */
function readInit(wish: string | null): Extract<ImageEntry, { kind: "file" }> {
  const tree: ImageTree = new Map();
  addInit(tree, wish);
  const init = tree.get("/init");
  if (init?.kind !== "file") throw new BootError("there is no program to put in as /init");
  return init;
}

/** What the kernel does not read, it does not read on behind. */
function refuseDamaged({ file, segments, problem, tree }: Inspection): void {
  const problems = [...segments.flatMap((segment) => segment.problems), ...(problem === null ? [] : [problem.message])];
  if (problems.length > 0) {
    throw new BootError(`cannot exchange the init of ${file}: a kernel would not read it to its end`, {
      seen: problems,
    });
  }
  if (tree.root.children.get("init")?.kind === "directory") {
    throw new BootError(`cannot exchange the init of ${file}: /init is a directory there`);
  }
}

async function* joinImages(base: Uint8Array, segment: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  yield base;
  const end = Math.ceil((base.length + LEAST_PADDING) / ALIGN_BYTES) * ALIGN_BYTES;
  yield new Uint8Array(end - base.length);
  yield* segment;
}
