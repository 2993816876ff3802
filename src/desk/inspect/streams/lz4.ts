import { damaged, tooLarge, type UnpackedStream } from "./stream.ts";

// The legacy frame of lz4's doc/lz4_Frame_format.md, which lib/decompress_unlz4.c reads: a magic, then blocks of 8 MiB
// unpacked, each after its compressed size. Nothing marks the end.
const MAGIC = 0x184c2102;
const BLOCK_BYTES = 8 << 20;
const COMPRESSED_MAX = BLOCK_BYTES + Math.floor(BLOCK_BYTES / 255) + 16;

/** Unpacks the legacy lz4 stream at `start`, which for the kernel ends with the file or at four zero bytes. Throws BootError if it is damaged or unpacks to more than `limit` bytes. */
export function unpackLz4Legacy(bytes: Uint8Array, start: number, limit: number): UnpackedStream {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Uint8Array[] = [];
  // One buffer for all: a stream of blocks of a few bytes must not allocate 8 MiB for each.
  const room = new Uint8Array(BLOCK_BYTES);
  let size = 0;
  const finish = (end: number, problem: string | null) => ({ unpacked: Buffer.concat(blocks), end, problem });
  for (let at = start + 4; ; ) {
    if (at + 4 > bytes.length) return finish(bytes.length, null);
    const length = view.getUint32(at, true);
    if (length === 0) return finish(at, null);
    if (length !== MAGIC && length > COMPRESSED_MAX) {
      return finish(
        at,
        `the kernel takes what follows for another block of the lz4 data, because nothing marks its end at byte ${at}: put four zero bytes there`,
      );
    }
    at += 4;
    if (length === MAGIC) continue;
    if (at + length > bytes.length) throw damaged("lz4", start, "it is truncated");
    const block = unpackBlock(bytes.subarray(at, at + length), room, start);
    size += block.length;
    if (size > limit) throw tooLarge("lz4", start, limit);
    blocks.push(block);
    at += length;
  }
}

/** Unpacks one block (lz4's doc/lz4_Block_format.md: literals, and copies of earlier output) into `target`. Returns a copy of it. */
function unpackBlock(source: Uint8Array, target: Uint8Array, start: number): Uint8Array {
  let from = 0;
  let to = 0;
  const take = () => {
    const byte = source[from];
    if (byte === undefined) throw damaged("lz4", start, "a block is truncated");
    from += 1;
    return byte;
  };
  const readLength = (nibble: number) => {
    let length = nibble;
    for (let more = nibble === 15; more; ) {
      const byte = take();
      length += byte;
      more = byte === 255;
    }
    return length;
  };
  while (from < source.length) {
    const token = take();
    const literals = readLength(token >> 4);
    if (from + literals > source.length || to + literals > BLOCK_BYTES)
      throw damaged("lz4", start, "a block is too long");
    copy(source, from, target, to, literals);
    from += literals;
    to += literals;
    if (from === source.length) break; // the last sequence has literals only
    const distance = take() + take() * 256;
    const length = readLength(token & 15) + 4;
    if (distance === 0 || distance > to) throw damaged("lz4", start, "a copy starts before the block");
    if (to + length > BLOCK_BYTES) throw damaged("lz4", start, "a block is too long");
    copy(target, to - distance, target, to, length);
    to += length;
  }
  return target.slice(0, to);
}

/** Copies byte by byte, as source and target may overlap on purpose. */
function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  for (let index = 0; index < length; index += 1) target[to + index] = source[from + index] ?? 0;
}
