import { zstdDecompressSync } from "node:zlib";
import { damaged, type UnpackedStream } from "./stream.ts";

// RFC 8878: the frame header's descriptor says which of its fields are there.
const SINGLE_SEGMENT = 0x20;
const CHECKSUM = 0x04;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CHECKSUM_BYTES = 4;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/** Unpacks the one zstd frame that begins at `start`, as the kernel does. Throws BootError where it is damaged or gives more than `limit` bytes. */
export function unpackZstd(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const { end, contentSize } = measureFrame(bytes, start);
  if (contentSize !== null && contentSize > limit) {
    throw damaged("zstd", start, `it says that it gives ${contentSize} bytes, the limit is ${limit}`);
  }
  const unpacked = decompress(bytes.subarray(start, end), start, limit);
  if (contentSize !== null && unpacked.length !== contentSize) {
    throw damaged("zstd", start, `it gives ${unpacked.length} bytes instead of ${contentSize}`);
  }
  return { unpacked, end, problem: null };
}

function decompress(frame: Uint8Array, start: number, limit: number): Uint8Array {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: limit });
  } catch (error) {
    throw damaged("zstd", start, error instanceof Error ? error.message : String(error));
  }
}

/** Where the frame ends, and what its header says of the content's size. */
function measureFrame(bytes: Uint8Array, start: number): { readonly end: number; readonly contentSize: number | null } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const descriptor = view.getUint8(start + 4);
    const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
    let at = start + 5 + (isSingle ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0);
    const sizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6] || (isSingle ? 1 : 0);
    const contentSize = readSize(view, at, sizeBytes);
    at += sizeBytes;
    for (let isLast = false; !isLast; ) {
      const header = view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000;
      isLast = (header & 1) === 1;
      const type = (header >> 1) & 3;
      if (type === BLOCK_RESERVED) throw damaged("zstd", start, "a block of no known type");
      at += 3 + (type === BLOCK_RLE ? 1 : header >> 3);
    }
    const end = at + ((descriptor & CHECKSUM) !== 0 ? CHECKSUM_BYTES : 0);
    if (end > bytes.length) throw new RangeError("the frame ends behind the file");
    return { end, contentSize };
  } catch (error) {
    if (error instanceof RangeError) throw damaged("zstd", start, "it is cut off");
    throw error;
  }
}

function readSize(view: DataView, at: number, bytes: number): number | null {
  if (bytes === 0) return null;
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
