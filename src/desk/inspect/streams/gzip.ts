import { inflateRawSync } from "node:zlib";
import { damaged, isOverLimit, tooLarge, type UnpackedStream } from "./stream.ts";

// RFC 1952: the header's flags, and what follows the compressed data.
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

/** Unpacks the one gzip member that begins at `start`. Throws BootError where it is damaged or gives more than `limit` bytes. */
export function unpackGzip(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const dataStart = skipHeader(bytes, start);
  const { buffer, engine } = inflate(bytes.subarray(dataStart), start, limit);
  const end = dataStart + engine.bytesWritten + TRAILER_BYTES;
  if (end > bytes.length) throw damaged("gzip", start, "it is cut off");
  const sum = new DataView(bytes.buffer, bytes.byteOffset + end - TRAILER_BYTES, 4).getUint32(0, true);
  if (sum !== Bun.hash.crc32(buffer)) throw damaged("gzip", start, "its checksum is wrong");
  return { unpacked: buffer, end, problem: null };
}

/** What Node gives with `info`, which its types do not know. */
interface Inflated {
  readonly buffer: Uint8Array;
  /** `bytesWritten` into the engine: what of the input was used. */
  readonly engine: { readonly bytesWritten: number };
}

function inflate(data: Uint8Array, start: number, limit: number): Inflated {
  try {
    return inflateRawSync(data, { info: true, maxOutputLength: limit }) as unknown as Inflated;
  } catch (error) {
    if (isOverLimit(error)) throw tooLarge("gzip", start, limit);
    throw damaged("gzip", start, error instanceof Error ? error.message : String(error));
  }
}

function skipHeader(bytes: Uint8Array, start: number): number {
  const flags = bytes[start + 3] ?? 0;
  let at = start + HEADER_BYTES;
  if (flags & FEXTRA) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw damaged("gzip", start, "it is cut off");
    at = end + 1;
  }
  if (flags & FHCRC) at += 2;
  if (at >= bytes.length) throw damaged("gzip", start, "it is cut off");
  return at;
}
