import { readFileSync, statSync } from "node:fs";
import { probe } from "../../formats/probe.ts";
import { BootError } from "../../problems/errors.ts";
import { estimateMemoryOf } from "../archive/memory.ts";
import { attempt } from "../host.ts";
import { isKernelFile } from "../kernels/kernel-facts.ts";
import { findBootConfig } from "./boot-config.ts";
import { findOut, findPassedOver } from "./findings.ts";
import { readSegments } from "./segments.ts";
import { imageTooLarge, TooLargeError, usualLimit } from "./streams/size-limit.ts";
import { readUki } from "./uki.ts";
import { unpackTree } from "./unpack-tree.ts";
import { listFiles } from "./unpacked-tree.ts";

/** Everything that is known of an image. */
export type Inspection = ReturnType<typeof inspectBytes>;

/** Reads an image file. Throws BootError if it is not an initramfs, cannot be read, or would take more than `maxSize` bytes of memory (null: `usualLimit`). */
export function inspectImage(file: string, maxSize: number | null) {
  // Reading a device or a FIFO may never end.
  const status = attempt(`cannot read ${file}`, () => statSync(file));
  if (!status.isFile()) throw new BootError(`cannot read ${file}: not a regular file`);
  const limit = maxSize ?? usualLimit(status.size);
  if (status.size > limit) throw imageTooLarge(file, limit, null);
  return inspectBytes(
    file,
    attempt(`cannot read ${file}`, () => readFileSync(file)),
    limit,
  );
}

/** Examines the bytes of an image, as `inspectImage` does; `file` is its name. */
export function inspectBytes(file: string, whole: Uint8Array, limit = usualLimit(whole.length)) {
  const uki = readUki(whole);
  if (uki?.initrd === null)
    throw new BootError(`${file} is a program for EFI without an initramfs`, { hint: EFI_HINT });
  const bytes = uki?.initrd ?? whole;
  const bootConfig = findBootConfig(bytes);
  const image = readSegments(bytes.subarray(0, bootConfig?.offset), limit);
  if (image.problem instanceof TooLargeError) throw imageTooLarge(file, limit, image.problem);
  if (image.segments.length === 0) throw notAnImage(file, bytes, image.problem);
  const tree = unpackTree(image.segments.flatMap(({ archives }) => archives.map(({ members }) => members)));
  const sizes = listFiles(tree.root).map(({ data }) => data.length);
  return {
    ...image,
    file,
    size: whole.length,
    /** The sections of a unified kernel image; offsets of segments are those in its .initrd. */
    uki: uki?.summary ?? null,
    bootConfig,
    tree,
    findings: findOut(tree.root),
    passedOver: findPassedOver(tree.root),
    memory: estimateMemoryOf(sizes, bytes.length),
  };
}

const EFI_HINT = "name a unified kernel image (levain image --uki), or the initramfs that is loaded with this program";

function notAnImage(file: string, bytes: Uint8Array, cause: BootError | null): BootError {
  const { type } = probe({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
  const hint = isKernelFile(bytes)
    ? "this is a kernel; name the initramfs that the boot loader loads with it"
    : type !== null && `this is a ${type} filesystem, an initrd of the old kind: mount it with mount -o loop`;
  return new BootError(`${file} is not an initramfs`, { cause, ...(hint !== false && { hint }) });
}
