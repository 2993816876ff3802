import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { type Compression, compress } from "../archive/compress.ts";
import { writeCpio } from "../archive/cpio.ts";
import { estimateMemoryOf } from "../archive/memory.ts";
import { checkWritable, writeWhole } from "../archive/output.ts";
import type { ImageEntry, ImageTree } from "../archive/tree.ts";
import { attempt } from "../host.ts";
import { type Inspection, inspectImage } from "../inspect/inspection.ts";
import { listFiles } from "../inspect/unpacked-tree.ts";
import { addInit } from "../program/program.ts";
import { warnOfCopy } from "./secrets.ts";

/** The arguments of `levain graft`. */
export interface GraftOptions {
  /** An initramfs of another tool. */
  readonly image: string;
  readonly output: string;
  /** The levain that becomes /init; null: this program. */
  readonly init: string | null;
  readonly compression: Compression;
  /** Bytes that the image may unpack to; null: `usualLimit`. */
  readonly maxSize: number | null;
}

/** The result of `graftInit`. */
export type GraftSummary = Awaited<ReturnType<typeof graftInit>>;

// The kernel expects archives at multiples of four and lz4 data to end with four zeros; cpio(1) pads to 512.
const ALIGN_BYTES = 512;
const LEAST_PADDING = 4;

/**
 * Writes the bytes of an image, followed by an archive that contains only /init: the later of two members with one name counts,
 * so everything else is kept. Throws BootError, also if the kernel would not read the image to its end.
 */
export async function graftInit(options: GraftOptions) {
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
    /** A warning if more users can read the new image than the old one, or null. */
    exposure: warnOfCopy(options.image, output),
    output,
    before,
    imageBytes,
    memory: estimateMemoryOf([...sizes, init.content.size], imageBytes),
  };
}

/** Only /init, as a directory above it, or a link beside it, could be a symbolic link in the other image. */
function readInit(request: string | null): Extract<ImageEntry, { kind: "file" }> {
  const tree: ImageTree = new Map();
  addInit(tree, request);
  const init = tree.get("/init");
  if (init?.kind !== "file") throw new BootError("no program for /init");
  return init;
}

/** The kernel stops reading at damaged data, so it would not reach the new init. */
function refuseDamaged({ file, segments, problem, tree }: Inspection): void {
  const problems = [...segments.flatMap((segment) => segment.problems), ...(problem === null ? [] : [problem.message])];
  if (problems.length > 0) {
    throw new BootError(`cannot replace the init of ${file}: the kernel would not read the image to its end`, {
      seen: problems,
    });
  }
  if (tree.root.children.get("init")?.kind === "directory") {
    throw new BootError(`cannot replace the init of ${file}: its /init is a directory`);
  }
}

async function* joinImages(base: Uint8Array, segment: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  yield base;
  const end = Math.ceil((base.length + LEAST_PADDING) / ALIGN_BYTES) * ALIGN_BYTES;
  yield new Uint8Array(end - base.length);
  yield* segment;
}
