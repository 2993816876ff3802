import { readFileSync, statSync } from "node:fs";
import { BootError } from "../../src/errors.ts";
import { probe } from "../../src/probe/probe.ts";
import { attempt } from "../attempt.ts";
import { estimateMemoryOf, type MemoryNeed } from "../memory.ts";
import { type Findings, findOut } from "./findings.ts";
import { findPassedOver } from "./makers.ts";
import { type ImageSegments, readSegments } from "./segments.ts";
import { type UnpackedTree, unpackTree } from "./unpack-tree.ts";
import { type FileNode, listTree } from "./unpacked-tree.ts";

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

/** Takes an image file apart. Throws BootError where it cannot be read or is no initramfs at all. */
export function inspectImage(file: string): Inspection {
  // A device or a FIFO may never end, and the latter may never begin.
  const isFile = attempt(`cannot read ${file}`, () => statSync(file)).isFile();
  if (!isFile) throw new BootError(`cannot read ${file}: it is no regular file`);
  const bytes = attempt(`cannot read ${file}`, () => readFileSync(file));
  const image = readSegments(bytes);
  if (image.segments.length === 0) throw notAnImage(file, bytes, image.problem);
  const tree = unpackTree(image.segments.flatMap(({ archives }) => archives.map(({ members }) => members)));
  const files = new Set(
    [...listTree(tree.root)].flatMap(([, node]): FileNode[] => (node.kind === "file" ? [node] : [])),
  );
  return {
    ...image,
    file,
    size: bytes.length,
    tree,
    findings: findOut(tree.root),
    passedOver: findPassedOver(tree.root),
    memory: estimateMemoryOf(
      [...files].map(({ data }) => data.length),
      bytes.length,
    ),
  };
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
