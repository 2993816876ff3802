import type { Context } from "../../drivers/context.ts";
import type { Mapping } from "../../machine/encryption.ts";
import { orProblem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { openVerity } from "../../storage/kinds/verity/open.ts";
import type { VerityPart } from "../../storage/kinds/verity/order.ts";
import type { ImageTree } from "./image-tree.ts";
import { attachFile } from "./loops.ts";

interface LoopedImage {
  readonly path: string;
  /** From the initramfs. */
  readonly file: string;
  /** Of the loop device. */
  readonly node: string;
  /** True if the loop device has a part of the file only. */
  readonly isPart: boolean;
  /** Where it will be mounted: names the mapping. */
  readonly place: string;
}

/** Creates the dm-verity device of an image; what it needs is detached with the undo of the step. Throws BootError. */
export function verifyImage(context: Context, image: LoopedImage, tree: ImageTree): Mapping {
  const { file, node, path, place, isPart } = image;
  const partOf = (one: string, name: string): VerityPart => {
    const isOwn = one === file && !isPart;
    return describePart(context, isOwn ? node : attachFile(context, one), name);
  };
  const data = describePart(context, node, path);
  const hashes = partOf(tree.hashFile, tree.hashFile === file ? path : `the hash tree of ${path}`);
  const fec = tree.fecFile === null ? null : partOf(tree.fecFile, `the error correction of ${path}`);
  const mapping = `verity${place.replace(/^\/run\/levain/, "").replaceAll("/", "-")}`;
  const { rootHash, options, signature } = tree;
  return openVerity(context, { mapping, rootHash, options, signature, data, hashes, fec });
}

function describePart({ machine }: Context, node: string, name: string): VerityPart {
  const number = machine.stat(node)?.represents ?? "";
  const reader = orProblem("image-unreadable", { path: name }, () => machine.openReader(node));
  reader.close();
  return { node, number, sizeBytes: reader.size, name: printable(name) };
}
