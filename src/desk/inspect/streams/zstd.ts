import { zstdDecompressSync } from "node:zlib";
import { damaged, inflate, tooLarge, type UnpackedStream } from "./stream.ts";

// RFC 8878: the descriptor of the frame header says which fields follow.
const SINGLE_SEGMENT = 0x20;
const CHECKSUM = 0x04;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CHECKSUM_BYTES = 4;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
/** ZSTD_WINDOWSIZE_MAX of lib/decompress_unzstd.c. */
const WINDOW_MAX = 1 << 27;

/** Unpacks the zstd frame at `start`, as the kernel does. Throws BootError if it is damaged or unpacks to more than `limit` bytes. */
export function unpackZstd(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const { end, contentSize, windowSize } = measureFrame(bytes, start);
  if (contentSize !== null && contentSize > limit) throw tooLarge("zstd", start, limit);
  if (windowSize > WINDOW_MAX) throw damaged("zstd", start, "its window exceeds the kernel's limit of 128 MiB");
  const frame = bytes.subarray(start, end);
  const unpacked = inflate("zstd", start, limit, () => zstdDecompressSync(frame, { maxOutputLength: limit }));
  if (contentSize !== null && unpacked.length !== contentSize) {
    throw damaged("zstd", start, `it unpacks to ${unpacked.length} bytes instead of ${contentSize}`);
  }
  return { unpacked, end, problem: null };
}

/** `contentSize` is null if the header does not say it; `windowSize` is how much a decoder has to keep. */
function measureFrame(bytes: Uint8Array, start: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const descriptor = view.getUint8(start + 4);
    const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
    let at = start + 5 + Number(!isSingle) + (DICTIONARY_BYTES[descriptor & 3] ?? 0);
    const sizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6] || Number(isSingle);
    const contentSize = readSize(view, at, sizeBytes);
    at += sizeBytes;
    const windowSize = (isSingle ? contentSize : null) ?? readWindow(view.getUint8(start + 5));
    for (let isLast = false; !isLast; ) {
      const header = view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000;
      isLast = (header & 1) === 1;
      const type = (header >> 1) & 3;
      if (type === BLOCK_RESERVED) throw damaged("zstd", start, "a block has an unknown type");
      at += 3 + (type === BLOCK_RLE ? 1 : header >> 3);
    }
    const end = at + ((descriptor & CHECKSUM) !== 0 ? CHECKSUM_BYTES : 0);
    if (end > bytes.length) throw new RangeError("the frame ends after the file");
    return { end, contentSize, windowSize };
  } catch (error) {
    if (error instanceof RangeError) throw damaged("zstd", start, "it is truncated");
    throw error;
  }
}

/** RFC 8878, 3.1.1.1.2: a power of two, and eighths of it. */
function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readSize(view: DataView, at: number, bytes: number): number | null {
  if (bytes === 0) return null;
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
