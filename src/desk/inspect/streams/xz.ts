import { damaged, tooLarge, type UnpackedStream } from "./stream.ts";
import { runTool } from "./unpack-tool.ts";

// xz-file-format.txt: 2.1.1 Stream Header, 2.1.2 Stream Footer, 3 Block, 4 Index; all but LZMA2's own data comes in fours.
const HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
const CRC_BYTES = 4;
const FOOTER_MAGIC = [0x59, 0x5a] as const;
const CHECK_NONE = 0;
const CHECK_CRC32 = 1;
/** 2.1.1.2: by the type of check. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;

/** Unpacks the xz stream that begins at `start` with the host's xz. Throws BootError where it is damaged or gives more than `limit` bytes. */
export function unpackXz(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const stream = measureStream(bytes, start);
  if (stream === null) throw damaged("xz", start, "it is cut off, or no xz stream that a kernel reads");
  const { end, unpackedSize } = stream;
  if (unpackedSize > limit) throw tooLarge("xz", start, limit);
  const check = checkOf(bytes, start);
  const problem =
    check === CHECK_NONE || check === CHECK_CRC32
      ? null
      : "the kernel knows only CRC32 as the check of xz data: compress with xz --check=crc32";
  const unpacked = unpackedSize === 0 ? new Uint8Array() : runTool("xz", bytes.subarray(start, end), { start, limit });
  return { unpacked, end, problem };
}

function checkOf(bytes: Uint8Array, start: number): number {
  return (bytes[start + 7] ?? 0) & 0xf;
}

interface Extent {
  readonly end: number;
  readonly unpackedSize: number;
}

/** Walks over blocks and chunks: a stream written in one go says its length nowhere else, and what is sought in the data can be forged there. */
function measureStream(bytes: Uint8Array, start: number): Extent | null {
  const checkBytes = CHECK_BYTES[checkOf(bytes, start)] ?? 0;
  let at = start + HEADER_BYTES;
  let unpackedSize = 0;
  for (let header = bytes[at]; header !== 0; header = bytes[at]) {
    if (header === undefined) return null;
    const chunks = measureChunks(bytes, at + (header + 1) * 4);
    if (chunks === null) return null;
    at = roundUp(chunks.end, start) + checkBytes;
    unpackedSize += chunks.unpackedSize;
  }
  const index = skipIndex(bytes, at);
  const end = index === null ? bytes.length + 1 : roundUp(index, start) + CRC_BYTES + FOOTER_BYTES;
  const hasFooter = bytes[end - 2] === FOOTER_MAGIC[0] && bytes[end - 1] === FOOTER_MAGIC[1];
  return hasFooter ? { end, unpackedSize } : null;
}

function roundUp(at: number, start: number): number {
  return start + Math.ceil((at - start) / 4) * 4;
}

/** LZMA2, the last filter of every block; its chunks as lzma2_decoder.c of XZ Utils reads them. */
function measureChunks(bytes: Uint8Array, start: number): Extent | null {
  const pair = (at: number) => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0) + 1;
  let at = start;
  let unpackedSize = 0;
  for (let control = bytes[at]; control !== 0; control = bytes[at]) {
    if (control === undefined || (control > 2 && control < 0x80)) return null;
    if (control < 0x80) {
      unpackedSize += pair(at + 1);
      at += 3 + pair(at + 1);
    } else {
      unpackedSize += (control & 0x1f) * 65536 + pair(at + 1);
      // New properties take a byte.
      at += (control >= 0xc0 ? 6 : 5) + pair(at + 3);
    }
  }
  return { end: at + 1, unpackedSize };
}

/** Behind the index's records: its indicator, how many there are, and two numbers each, seven bits a byte. */
function skipIndex(bytes: Uint8Array, start: number): number | null {
  let at = start + 1;
  const readNumber = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  for (let numbers = readNumber() * 2; numbers > 0; numbers -= 1) {
    if (at >= bytes.length) return null;
    readNumber();
  }
  return at;
}
