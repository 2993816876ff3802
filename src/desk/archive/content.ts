import { closeSync, constants, openSync, readSync } from "node:fs";
import { BootError } from "../../problems/errors.ts";
import { attempt, fillFromFile } from "../host.ts";

/** The content of a file of the image: its size is known beforehand, its data is read piece by piece when it is written. */
export interface Content {
  /** Bytes; `chunks` yields exactly as many or throws BootError. */
  readonly size: number;
  /** `room`: memory that the data may be read into, so that a chunk lasts only until the next one. */
  chunks(room?: Uint8Array): Iterable<Uint8Array>;
}

const CHUNK_BYTES = 1 << 20;
const MADE_UP_BYTES = 16 << 20;

/** Returns content that is in memory; text is encoded as UTF-8. */
export function contentOfBytes(data: Uint8Array | string): Content {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return { size: bytes.length, chunks: () => sliceBytes(bytes) };
}

/** Returns the content of a file of this host, or of its `size` bytes from `start` on; a file that shrinks meanwhile is an error. */
export function contentOfFile(path: string, size: number, start = 0): Content {
  return { size, chunks: (room) => readPieces(path, start, size, room) };
}

/** Returns the content of a file below /proc or /sys, whose size stat(2) does not know. Throws BootError if it is more than 16 MiB or reading would block. */
export function contentOfMadeUpFile(path: string): Content {
  const bytes = new Uint8Array(MADE_UP_BYTES);
  const size = fillFromFile(bytes, path, `cannot read ${path}`, constants.O_RDONLY | constants.O_NONBLOCK);
  if (size === bytes.length) throw new BootError(`cannot add ${path} to the image: it does not end`);
  return contentOfBytes(bytes.slice(0, size));
}

function* sliceBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) yield bytes.subarray(offset, offset + CHUNK_BYTES);
}

function* readPieces(path: string, start: number, size: number, room?: Uint8Array): Generator<Uint8Array> {
  const file = attempt(`cannot read ${path}`, () => openSync(path, "r"));
  try {
    for (let offset = 0; offset < size; ) {
      const chunk = room?.subarray(0, size - offset) ?? new Uint8Array(Math.min(CHUNK_BYTES, size - offset));
      const length = attempt(`cannot read ${path}`, () => readSync(file, chunk, 0, chunk.length, start + offset));
      if (length === 0) {
        throw new BootError(`${path} became shorter while levain read it`, {
          hint: "run the command again when no program writes to the file",
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
