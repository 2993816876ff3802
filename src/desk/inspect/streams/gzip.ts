import { inflateRawSync } from "node:zlib";
import { damaged, inflate, type UnpackedStream } from "./stream.ts";

// RFC 1952: the flags of the header, and the sizes around the compressed data.
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

/** What Node returns with `info`, which its types do not know; the engine's `bytesWritten` is how much input was used. */
interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Unpacks the gzip member at `start`. Throws BootError if it is damaged or unpacks to more than `limit` bytes. */
export function unpackGzip(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const dataStart = skipHeader(bytes, start);
  const options = { info: true, maxOutputLength: limit };
  const { buffer, engine } = inflate(
    "gzip",
    start,
    limit,
    () => inflateRawSync(bytes.subarray(dataStart), options) as unknown as Inflated,
  );
  const end = dataStart + engine.bytesWritten + TRAILER_BYTES;
  if (end > bytes.length) throw damaged("gzip", start, "it is truncated");
  const sum = new DataView(bytes.buffer, bytes.byteOffset + end - TRAILER_BYTES, 4).getUint32(0, true);
  if (sum !== Bun.hash.crc32(buffer)) throw damaged("gzip", start, "its checksum is wrong");
  return { unpacked: buffer, end, problem: null };
}

function skipHeader(bytes: Uint8Array, start: number): number {
  const flags = bytes[start + 3] ?? 0;
  let at = start + HEADER_BYTES;
  if (flags & FEXTRA) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw damaged("gzip", start, "it is truncated");
    at = end + 1;
  }
  if (flags & FHCRC) at += 2;
  if (at >= bytes.length) throw damaged("gzip", start, "it is truncated");
  return at;
}
