import type { CompressionMethod } from "./compress.ts";
import { align } from "./cpio.ts";

/** init/initramfs.c reads an uncompressed archive only at a multiple of this many bytes, and skips zeros before it. */
export const ARCHIVE_ALIGN = 4;
/** lib/decompress_unlz4.c takes the next four bytes for the size of a block, and zero for the end of the stream. */
const LZ4_END_BYTES = 4;

/** Yields a compressed image and zeros, so that the kernel also reads what is appended to it (`cat image more.cpio`, a boot loader with several images). */
export async function* padImage(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  method: CompressionMethod,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    yield chunk;
  }
  const end = align(size + (method === "lz4" ? LZ4_END_BYTES : 0), ARCHIVE_ALIGN);
  if (end > size) yield new Uint8Array(end - size);
}
