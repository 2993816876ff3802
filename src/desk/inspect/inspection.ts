import { readFileSync, statSync } from "node:fs";
import { probe } from "../../formats/probe.ts";
import { BootError } from "../../problems/errors.ts";
import { estimateMemoryOf, type MemoryNeed } from "../archive/memory.ts";
import { attempt } from "../attempt.ts";
import { type Findings, findOut } from "./findings.ts";
import { findPassedOver } from "./makers.ts";
import { type ImageSegments, readSegments } from "./segments.ts";
import { imageTooLarge, TooLargeError, usualLimit } from "./streams/size-limit.ts";
import { type UnpackedTree, unpackTree } from "./unpack-tree.ts";
import { listFiles } from "./unpacked-tree.ts";

/** All that can be said of an image. */
export interface Inspection extends ImageSegments {
  readonly file: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly tree: UnpackedTree;
  readonly findings: Findings;
  /** What the image's own init reads and levain does not. */
  readonly passedOver: readonly string[];
  readonly memory: MemoryNeed;
}

/**
 * Takes an image file apart. Throws BootError where it cannot be read or is no initramfs at all, and where it would take more
 * than `maxSize` bytes of memory; null is what real images never take.
 */
export function inspectImage(file: string, maxSize: number | null): Inspection {
  const { bytes, limit } = readImage(file, maxSize);
  const image = readSegments(bytes, limit);
  if (image.problem instanceof TooLargeError) throw imageTooLarge(file, limit, image.problem);
  if (image.segments.length === 0) throw notAnImage(file, bytes, image.problem);
  const tree = unpackTree(image.segments.flatMap(({ archives }) => archives.map(({ members }) => members)));
  return {
    ...image,
    file,
    size: bytes.length,
    tree,
    findings: findOut(tree.root),
    passedOver: findPassedOver(tree.root),
    memory: estimateMemoryOf(
      listFiles(tree.root).map(({ data }) => data.length),
      bytes.length,
    ),
  };
}

function readImage(file: string, maxSize: number | null): { readonly bytes: Uint8Array; readonly limit: number } {
  // A device or a FIFO may never end, and the latter may never begin.
  const status = attempt(`cannot read ${file}`, () => statSync(file));
  if (!status.isFile()) throw new BootError(`cannot read ${file}: it is no regular file`);
  const limit = maxSize ?? usualLimit(status.size);
  if (status.size > limit) throw imageTooLarge(file, limit, null);
  return { bytes: attempt(`cannot read ${file}`, () => readFileSync(file)), limit };
}

/** Offset and content of what a bzImage has instead of a boot sector: Documentation/arch/x86/boot.rst. */
const KERNEL_MAGIC = { at: 0x202, text: "HdrS" };

function notAnImage(file: string, bytes: Uint8Array, cause: BootError | null): BootError {
  const { type } = probe({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
  const isKernel =
    Buffer.from(bytes.subarray(KERNEL_MAGIC.at, KERNEL_MAGIC.at + 4)).toString("latin1") === KERNEL_MAGIC.text;
  const hint = isKernel
    ? "it is a kernel: the initramfs is the other file that the boot loader is told of"
    : type !== null && `it holds a ${type}: an initrd of the classic kind, look into it with mount -o loop`;
  return new BootError(`${file} is not an initramfs`, { cause, ...(hint === false ? {} : { hint }) });
}
