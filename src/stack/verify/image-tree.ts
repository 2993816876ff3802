import { findFileIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { readText } from "../../machine/small-files.ts";
import { tryParse } from "../../parameters/parse.ts";
import { rootHash as parseRootHash, type VerityOptions } from "../../parameters/verity.ts";
import type { VerityImages } from "../../plan/verity/volumes.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { MOST_SIGNATURE_BYTES, readSignature } from "../../storage/kinds/verity/signature.ts";

/** What verifies an image file. Every file is a path from the initramfs. */
export interface ImageTree {
  readonly rootHash: string;
  /** The image itself if the tree is in it. */
  readonly hashFile: string;
  readonly fecFile: string | null;
  readonly options: VerityOptions;
  readonly signature: Uint8Array | null;
}

interface ImageFile {
  /** The tree of the medium in which the image and what is beside it lie. */
  readonly base: string;
  /** Of the image, below `base`. */
  readonly path: string;
  /** True if it is the only image of the medium that becomes the root. */
  readonly isOnly: boolean;
}

/** A file with digits, and one with a small number. */
const MOST_TEXT_BYTES = 1024;

/** Returns what verifies an image; null if nothing is asked for. Throws BootError if a hash is missing although parameters ask for a verified root. */
export function findImageTree(
  machine: Machine,
  voice: Voice,
  images: VerityImages | null,
  file: ImageFile,
): ImageTree | null {
  if (images === null) return null;
  const { base, path } = file;
  const rootHash = findRootHash(machine, voice, images, file);
  if (rootHash === null) return null;
  const find = (one: string) => findFileIn(machine, base, one);
  const isInside = images.hashFile === null && images.options.hashOffset !== null;
  const tree = isInside ? path : (images.hashFile ?? `${path}.verity`);
  const hashFile = find(tree);
  if (hashFile === null) throw problem("verity-no-tree", { name: path, tree });
  const { file: fecFile, roots } = findCorrection(machine, images.options, base, path);
  const options = { ...images.options, fecRoots: roots };
  const signature = findSignature(machine, images, find(`${path}.roothash.p7s`));
  if (signature === null && images.needsSignature) {
    throw problem("verity-signature-missing", { name: `${path}.roothash.p7s` });
  }
  return { rootHash, hashFile, fecFile, options, signature };
}

/** The hash of a parameter, or of live-boot's file beside the image: it finds damage, but an attacker who changes the image can change the hash too. */
function findRootHash(
  machine: Machine,
  voice: Voice,
  images: VerityImages,
  { base, path, isOnly }: ImageFile,
): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const named = images.named.find((one) => one.name === name)?.hash;
  if (named !== undefined) return named;
  if (isOnly && images.rootHash !== null) return images.rootHash;
  if (!images.isBySidecar) throw problem("verity-image-without-hash", { name: path });
  const hasTree = findFileIn(machine, base, `${path}.verity`) !== null;
  const file = findFileIn(machine, base, `${path}.roothash`);
  if (!hasTree && images.needsSignature) throw problem("verity-no-tree", { name: path, tree: `${path}.verity` });
  if (!hasTree) return null;
  if (file === null) {
    if (images.needsSignature) throw problem("verity-image-without-hash", { name: path });
    voice.warn(`${printable(path)}.verity is not used: there is no root hash; the image is not verified`);
    return null;
  }
  const read = tryParse(parseRootHash, readShort(machine, file));
  if (!("value" in read)) throw problem("verity-image-without-hash", { name: path });
  return read.value;
}

/** live-boot's FILE.fec, with its roots in FILE.fec.roots. */
function findCorrection(machine: Machine, { fec, fecRoots }: VerityOptions, base: string, path: string) {
  const find = (one: string) => findFileIn(machine, base, one);
  if (fec?.kind === "file") {
    const file = find(fec.path);
    if (file === null) throw problem("verity-no-tree", { name: path, tree: fec.path });
    return { file, roots: fecRoots };
  }
  const [own, roots] = [find(`${path}.fec`), find(`${path}.fec.roots`)];
  if (own === null || roots === null) return { file: null, roots: fecRoots };
  const count = Number(readShort(machine, roots));
  const isCount = Number.isInteger(count) && count >= 2 && count <= 24;
  return isCount ? { file: own, roots: count } : { file: null, roots: fecRoots };
}

function findSignature(machine: Machine, { options }: VerityImages, beside: string | null): Uint8Array | null {
  if (options.signature !== null) return readSignature(machine, options.signature);
  if (beside === null || (machine.stat(beside)?.size ?? 0) > MOST_SIGNATURE_BYTES) return null;
  return machine.readFile(beside);
}

function readShort(machine: Machine, file: string): string {
  return (machine.stat(file)?.size ?? 0) > MOST_TEXT_BYTES ? "" : readText(machine, file).trim();
}
