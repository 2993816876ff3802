import type { Voice } from "../../problems/voice.ts";
import { type Compression, compress, compressAhead, STORED } from "./compress.ts";
import { measureCpio, writeCpio } from "./cpio.ts";
import { padImage } from "./padding.ts";
import { type ImageEntry, isFirst } from "./tree.ts";

/** A cpio archive of an image. */
export interface ImageArchive {
  readonly entries: readonly ImageEntry[];
  readonly compression: Compression;
}

/** Returns the archive of what the kernel reads before it unpacks any: it must be the first, and must not be compressed (early_cpio). */
export function layOutEarly(entries: readonly ImageEntry[]): readonly ImageArchive[] {
  return entries.length === 0 ? [] : [{ entries, compression: STORED }];
}

/** Modules and firmware that are compressed already: compressing them once more takes a quarter of the time, and saves nothing. */
const COMPRESSED = /^\/lib\/(modules|firmware)\/.*\.(gz|xz|zst)$/;

/**
 * Divides the sorted entries of an image into its archives. A program that is compressed already comes first as it is, together
 * with the failure policy, so that no shell is unpacked before both; then the modules that are compressed, with all directories. The
 * kernel reads compressed archives behind stored ones (unpack_to_rootfs of init/initramfs.c).
 */
export function layOutImage(
  entries: readonly ImageEntry[],
  compression: Compression,
  isInitCompressed: boolean,
): readonly ImageArchive[] {
  if (!isInitCompressed || compression.method === "none") return [{ entries, compression }];
  // The names of one file belong into one archive.
  const contents = new Set(
    entries.flatMap((entry) => (entry.kind === "file" && COMPRESSED.test(entry.path) ? [entry.content] : [])),
  );
  const isCompressed = (entry: ImageEntry) => entry.kind === "file" && contents.has(entry.content);
  const isStored = (entry: ImageEntry) =>
    isFirst(entry) || isCompressed(entry) || (contents.size > 0 && entry.kind === "directory");
  return [
    { entries: entries.filter(isStored), compression: STORED },
    { entries: entries.filter((entry) => !isStored(entry)), compression },
  ];
}

/** Returns the size of the archives in bytes, unpacked. */
export function measureArchives(archives: readonly ImageArchive[]): number {
  return archives.reduce((sum, { entries }) => sum + measureCpio(entries), 0);
}

/** What is compressed as a whole, in memory: no more than this. */
const AHEAD_MAX_BYTES = 64 << 20;

const ROOM_BYTES = 1 << 20;

/** Returns the bytes of an image, each piece valid until the next one. Another thread compresses the archive behind a stored one meanwhile. */
export function writeArchives(archives: readonly ImageArchive[], voice: Voice): AsyncGenerator<Uint8Array> {
  const ahead = archives.map(({ entries, compression }, index) => {
    const isAhead = index > 0 && compression.method === "zstd" && measureCpio(entries) <= AHEAD_MAX_BYTES;
    return isAhead ? compressAhead(writeCpio(entries), compression) : null;
  });
  return write();

  async function* write() {
    const total = measureArchives(archives);
    let done = 0;
    function* announce(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
      for (const piece of pieces) {
        yield piece;
        done += piece.length;
        voice.progress(`packing: ${Math.floor((done / total) * 100)} %`);
      }
    }
    // Every archive ends at a multiple of four: writeCpio pads to 512 bytes, padImage a compressed one.
    for (const [index, { entries, compression }] of archives.entries()) {
      // What is not compressed is written before the next piece is read.
      const room = compression.method === "none" ? new Uint8Array(ROOM_BYTES) : undefined;
      const chunks = ahead[index] ?? compress(announce(writeCpio(entries, room)), compression);
      yield* padImage(chunks, compression.method);
    }
  }
}
