import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HandMade } from "./header.ts";

/** The parts of a real tool's image that levain reads, with the output of blkid and partx. */
export interface RecordedImage extends HandMade {
  /** In the form of `formatPartition`. */
  readonly partitions: readonly string[];
}

const COMPRESSION_LEVEL = 19;

/** Encodes images as JSON in zstd, bytes in Base64. */
export function encodeImages(images: readonly RecordedImage[]): Uint8Array {
  const plain = images.map(({ patches, ...rest }) => ({
    ...rest,
    patches: patches.map(({ at, bytes }) => [at, Buffer.from(bytes).toString("base64")]),
  }));
  return Bun.zstdCompressSync(JSON.stringify(plain), { level: COMPRESSION_LEVEL });
}

type PlainImage = Omit<RecordedImage, "patches"> & { readonly patches: readonly (readonly [number, string])[] };

export function readRecordedImages(): readonly RecordedImage[] {
  const bytes = Bun.zstdDecompressSync(readFileSync(join(import.meta.dir, "recorded-images.zst")));
  const plain: readonly PlainImage[] = JSON.parse(bytes.toString());
  return plain.map(({ patches, ...rest }) => ({
    ...rest,
    patches: patches.map(([at, text]) => ({ at, bytes: Uint8Array.from(Buffer.from(text, "base64")) })),
  }));
}
