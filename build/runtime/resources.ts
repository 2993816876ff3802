import { readFileSync, writeFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import { loads, readElf } from "../../src/desk/program/elf.ts";

/**
 * Bun contains files for its own commands, each a zstd frame: TypeScript's declarations, rules for checking sources, the browser's part of
 * its development server, replacements of Node's modules for browsers, shell completions. A program that Bun compiled does not use
 * them. They become zeros, which saves 1 MiB of an image; no address moves.
 *
 * ICU's data is made of zstd frames, too, but they need a dictionary, so they do not decompress here and stay.
 */

const ZSTD_MAGIC = Buffer.from("28b52ffd", "hex");
const WRITE = 2;
/** Shorter frames are not worth it, and could be a coincidence. */
const LEAST_BYTES = 1024;

/** Removes the files for Bun's own commands from the executable at `path`. */
export function removeResourcesFile(path: string): void {
  const program = readFileSync(path);
  removeResources(program);
  writeFileSync(path, program);
}

/** Fills each zstd frame in the read-only data of an executable with zeros; returns where they were. */
export function removeResources(program: Buffer): readonly Readonly<{ offset: number; size: number }>[] {
  const removed: { offset: number; size: number }[] = [];
  // The first segment of an executable has its read-only data.
  const [first] = loads(readElf(program));
  if (first === undefined || (first.flags & WRITE) !== 0) return removed;
  const data = program.subarray(first.offset, first.offset + first.fileSize);
  for (let at = data.indexOf(ZSTD_MAGIC); at !== -1; at = data.indexOf(ZSTD_MAGIC, at + 1)) {
    const size = frameSize(data, at);
    if (size === null || size < LEAST_BYTES || !isFrame(data.subarray(at, at + size))) continue;
    data.fill(0, at, at + size);
    removed.push({ offset: first.offset + at, size });
  }
  return removed;
}

function isFrame(bytes: Uint8Array): boolean {
  try {
    zstdDecompressSync(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Returns the size of the zstd frame at `start`, as its blocks say (RFC 8878, 3.1.1); null if there is none. */
function frameSize(data: Buffer, start: number): number | null {
  const descriptor = data[start + 4] ?? 0;
  let at = start + headerSize(descriptor);
  for (let isLast = false; !isLast; ) {
    if (at + 3 > data.length) return null;
    const block = data.readUIntLE(at, 3);
    const type = (block >> 1) & 3;
    if (type === 3) return null;
    // An RLE block (type 1) is one byte, however long its content.
    at += 3 + (type === 1 ? 1 : block >> 3);
    isLast = (block & 1) === 1;
  }
  at += (descriptor & 4) === 0 ? 0 : 4;
  return at <= data.length ? at - start : null;
}

/** The magic number, the descriptor, and what it says is there: window, dictionary, size of the content. */
function headerSize(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return 5 + (isSingleSegment ? 0 : 1) + dictionaryId + contentSize;
}
