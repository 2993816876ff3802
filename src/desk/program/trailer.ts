import { holds, le64 } from "../../formats/bytes.ts";

/** The last bytes of a file that consists of a plain program, the paged program, and this. */
const MAGIC = "levain paged 1\0\0";

/** The size of a trailer in bytes. */
export const TRAILER_SIZE = MAGIC.length + 3 * 8;

/** Where the two programs are, in bytes from the beginning of the file. The plain one begins at 0. */
export type Trailer = Readonly<{ plainSize: number; pagedOffset: number; pagedSize: number }>;

/** Parses the last TRAILER_SIZE bytes of a file of `fileSize` bytes; null if they are no trailer, or not the trailer of such a file. */
export function readTrailer(tail: Uint8Array, fileSize: number): Trailer | null {
  if (tail.length !== TRAILER_SIZE || !holds(tail, 0, MAGIC)) return null;
  const [plainSize = 0, pagedOffset = 0, pagedSize = 0] = [0, 1, 2].map((i) =>
    Number(le64(tail, MAGIC.length + i * 8)),
  );
  const isWhole = plainSize > 0 && plainSize <= pagedOffset && pagedOffset + pagedSize + TRAILER_SIZE === fileSize;
  return isWhole && pagedSize > 0 ? { plainSize, pagedOffset, pagedSize } : null;
}

/** The inverse of `readTrailer`. */
export function writeTrailer({ plainSize, pagedOffset, pagedSize }: Trailer): Uint8Array {
  const bytes = Buffer.alloc(TRAILER_SIZE);
  let at = bytes.write(MAGIC, "latin1");
  for (const value of [plainSize, pagedOffset, pagedSize]) at = bytes.writeBigUInt64LE(BigInt(value), at);
  return bytes;
}
