import { closeSync, constants, openSync, readSync } from "node:fs";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../attempt.ts";

/** What is in a file of the image: known in size beforehand, read piece by piece when it is its turn. */
export interface Content {
  /** Bytes; `chunks` gives exactly as many or throws BootError. */
  readonly size: number;
  chunks(): Iterable<Uint8Array>;
}

const CHUNK_BYTES = 1 << 20;
const MADE_UP_BYTES = 16 << 20;

/** Content that is in memory already; text is written as UTF-8. */
export function contentOfBytes(data: Uint8Array | string): Content {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return { size: bytes.length, chunks: () => sliceBytes(bytes) };
}

/** The content of a file on this host, `size` bytes as `stat` told it; a file that shrinks meanwhile is an error, not a hole. */
export function contentOfFile(path: string, size: number): Content {
  return { size, chunks: () => readPieces(path, size) };
}

/** What a file holds that the kernel makes up as it is read, below /proc and /sys: no `stat` tells how much. Throws BootError where it is more than 16 MiB or would have to be waited for. */
export function contentOfMadeUpFile(path: string): Content {
  const file = attempt(`cannot read ${path}`, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  const bytes = new Uint8Array(MADE_UP_BYTES);
  let size = 0;
  try {
    for (let length = -1; length !== 0 && size < bytes.length; size += length) {
      length = attempt(`cannot read ${path}`, () => readSync(file, bytes, size, bytes.length - size, null));
    }
  } finally {
    closeSync(file);
  }
  if (size === bytes.length) throw new BootError(`${path} has no end: it is not put into an image`);
  return contentOfBytes(bytes.slice(0, size));
}

/** All of `content` as one array. */
export function readContent(content: Content): Uint8Array {
  const bytes = new Uint8Array(content.size);
  let offset = 0;
  for (const chunk of content.chunks()) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function* sliceBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) yield bytes.subarray(offset, offset + CHUNK_BYTES);
}

function* readPieces(path: string, size: number): Generator<Uint8Array> {
  const file = attempt(`cannot read ${path}`, () => openSync(path, "r"));
  try {
    for (let offset = 0; offset < size; ) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - offset));
      const length = attempt(`cannot read ${path}`, () => readSync(file, chunk, 0, chunk.length, offset));
      if (length === 0) {
        throw new BootError(`${path} became shorter while it was read`, {
          hint: "run the command again when nothing writes to the file",
          seen: [`${offset} bytes instead of ${size}`],
        });
      }
      yield chunk.subarray(0, length);
      offset += length;
    }
  } finally {
    closeSync(file);
  }
}
