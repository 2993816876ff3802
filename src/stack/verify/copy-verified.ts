import type { Context } from "../../drivers/context.ts";
import { findDamage } from "../../filesystems/mount-causes.ts";
import type { Mapping } from "../../machine/encryption.ts";
import { tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { copyToRam } from "../copy-to-ram.ts";
import { openImage } from "../mount-image.ts";
import type { ImageTree } from "./image-tree.ts";
import { verifyImage } from "./verified-image.ts";

interface VerifiedCopy {
  readonly path: string;
  /** From the initramfs. */
  readonly file: string;
  readonly place: string;
  /** The device of the medium. */
  readonly node: string;
  readonly directory: string;
}

/**
 * Copies an image into memory through a dm-verity device, so that the kernel verifies each block when it is copied; nothing needs
 * the hash tree afterwards. Returns the copy's path, or null if the boot has to use the medium. Throws BootError for a damaged block.
 */
export function copyVerified(context: Context, copy: VerifiedCopy, tree: ImageTree): string | null {
  const undone: (() => void)[] = [];
  const forNow = { ...context, undo: (revert: () => void) => void undone.push(revert) };
  try {
    const loop = openImage(context.machine, { ...copy, readOnly: true }, context.drivers);
    forNow.undo(() => context.machine.detachLoop(loop.node));
    const mapping = verifyImage(forNow, { ...copy, node: loop.node, isPart: loop.part !== null }, tree);
    return copyMapping(context, copy, mapping);
  } finally {
    for (const revert of undone.toReversed()) tolerateRefusal(revert);
  }
}

function copyMapping(
  context: Context,
  { path, node, directory }: VerifiedCopy,
  { name, device }: Mapping,
): string | null {
  const { machine } = context;
  const source = `/dev/mapper/${name}`;
  const reader = machine.openReader(source);
  const bytes = reader.size;
  reader.close();
  const mark = machine.kernelLogMark();
  const onRefusal = () => {
    const [offset] = findDamage(machine, device, machine.kernelLogSince(mark)) ?? [];
    if (offset !== undefined) throw problem("medium-damaged", { name: path, offset });
  };
  return copyToRam(context, { source, path, bytes, node, directory, checks: [], onRefusal });
}
