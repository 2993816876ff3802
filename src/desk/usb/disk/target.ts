import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, statfsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { formatBytes } from "../../../problems/size.ts";
import type { Voice } from "../../../problems/voice.ts";
import { resolveTarget } from "../../archive/output.ts";
import { attempt } from "../../host.ts";
import { MIB } from "../layout.ts";
import type { Workspace } from "../workspace.ts";
import { isZero, readChunks, writeAt } from "./chunks.ts";
import type { DiskClaim } from "./claim.ts";

/** What is written to a disk, and where, in bytes. */
export interface Piece {
  readonly at: number;
  /** A file, or the bytes themselves. */
  readonly from: string | Uint8Array;
}

/** Everything that is written to a disk. */
export interface DiskContent {
  readonly diskBytes: number;
  /** In the order in which it is written: what firmware boots from comes last. */
  readonly pieces: readonly Piece[];
  /** Makes an empty filesystem in place, which would be mostly zeros to copy. */
  readonly makeInPlace: ((path: string) => Promise<unknown>) | null;
  /** The partition table, written after everything else; `first`, the first sector, at the very end. */
  readonly table: { readonly first: Uint8Array; readonly rest: readonly Piece[] };
}

/** Writes an image file, completely or not at all. Throws BootError. */
export async function writeImageFile(
  path: string,
  content: DiskContent,
  workspace: Workspace,
  voice: Voice,
): Promise<void> {
  const what = `cannot write ${printable(path)}`;
  const { bavail, bsize } = attempt(what, () => statfsSync(dirname(path)));
  const needed = sizeOf(content.pieces);
  if (needed > bavail * bsize) {
    throw new BootError(`${what}: there is no space left for ${formatBytes(needed)}`, {
      seen: [`${printable(dirname(path))}: ${formatBytes(bavail * bsize)} are free`],
      hint: "write it to another filesystem, or straight to a stick: --output /dev/sdX",
    });
  }
  const target = resolveTarget(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`);
  workspace.removeLater(temporary);
  const file = attempt(what, () => openSync(temporary, "wx+", 0o600));
  try {
    attempt(what, () => ftruncateSync(file, content.diskBytes));
    await content.makeInPlace?.(temporary);
    await writePieces(file, temporary, content, "new", voice);
    attempt(what, () => fsyncSync(file));
  } finally {
    closeSync(file);
  }
  attempt(what, () => renameSync(temporary, target));
}

/** Writes a disk. Until its first sector is written, no firmware boots from it. Throws BootError. */
export async function writeDevice(claim: DiskClaim, content: DiskContent, voice: Voice): Promise<void> {
  await claim.write((file) => {
    // The old table and what else firmware and kernels would find.
    for (const at of [0, content.diskBytes - MIB]) writeAt(file, claim.name, at, new Uint8Array(MIB));
  });
  // mke2fs opens the device exclusively too.
  claim.check();
  await content.makeInPlace?.(claim.path);
  await claim.write((file) => writePieces(file, claim.name, content, "used", voice));
}

const sizeOf = (pieces: readonly Piece[]) =>
  pieces.reduce((sum, { from }) => sum + (typeof from === "string" ? Bun.file(from).size : from.length), 0);

/** `state`: a new file has zeros where nothing was written. */
async function writePieces(
  file: number,
  path: string,
  { pieces, table }: DiskContent,
  state: "new" | "used",
  voice: Voice,
): Promise<void> {
  const total = sizeOf(pieces);
  let done = 0;
  for (const { at, from } of pieces) {
    for await (const chunk of typeof from === "string" ? readChunks(from) : [{ at: 0, bytes: from }]) {
      if (state === "used" || !isZero(chunk.bytes)) writeAt(file, path, at + chunk.at, chunk.bytes);
      done += chunk.bytes.length;
      voice.progress(`writing, ${formatBytes(done)} of ${formatBytes(total)}`);
    }
  }
  voice.progress("waiting until everything is on the disk");
  const sync = () => attempt(`cannot write to ${printable(path)}`, () => fsyncSync(file));
  sync();
  for (const { at, from } of table.rest) if (typeof from !== "string") writeAt(file, path, at, from);
  sync();
  writeAt(file, path, 0, table.first);
}
