import { BootError } from "../../../src/problems/errors.ts";

/** Slow to compress, as fast as any to unpack; blocks of up to 4 MiB, each on its own. */
const COMMAND = ["lz4", "-12", "-B7", "-BI", "--no-frame-crc", "-c"];
/** What COMMAND writes (lz4_Frame_format.md): magic number and version 1 with independent blocks; two bytes with their size and a checksum. */
const FILE_HEAD = Buffer.from("04224d1860", "hex");
const HEAD_SIZE = FILE_HEAD.length + 2;
const END_MARK_SIZE = 4;
/** A block that did not get smaller is stored as it is, which the highest bit of its size says. */
const STORED = 0x8000_0000;

const MAGIC = Buffer.from("levLZ4b\n");
const CHECKSUM_SIZE = 8;

/**
 * Compresses bytes to a frame of unpack.c: a magic number, the XXH64 of the block, and the block (lz4_Block_format.md). Unpacking takes
 * 2 instructions for a byte. Returns null if it does not get smaller. Throws BootError.
 */
export async function compressLz4(bytes: Uint8Array): Promise<Uint8Array | null> {
  if (Bun.which("lz4") === null)
    throw new BootError("lz4 is not installed", { hint: "install it (Debian: apt install lz4)" });
  const child = Bun.spawn(COMMAND, { stdin: bytes, stdout: "pipe", stderr: "pipe" });
  const [file, said] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new BootError("lz4 failed", { seen: said.trim().split("\n") });
  const block = readBlock(Buffer.from(file));
  return block === null ? null : Buffer.concat([MAGIC, checksum(block), block]);
}

/** Whether these bytes are an undamaged frame of `compressLz4`. */
export function isLz4Frame(frame: Buffer): boolean {
  const block = frame.subarray(MAGIC.length + CHECKSUM_SIZE);
  return (
    frame.subarray(0, MAGIC.length).equals(MAGIC) &&
    frame.subarray(MAGIC.length, MAGIC.length + CHECKSUM_SIZE).equals(checksum(block))
  );
}

/** Returns the block of a file; null if it is not compressed. Throws BootError unless there is exactly one. */
function readBlock(file: Buffer): Buffer | null {
  const start = HEAD_SIZE + 4;
  const hasHead = file.length >= start && file.subarray(0, FILE_HEAD.length).equals(FILE_HEAD);
  const size = hasHead ? file.readUInt32LE(HEAD_SIZE) : 0;
  if (start + (size % STORED) + END_MARK_SIZE !== file.length) throw new BootError("lz4 has written another format");
  return size >= STORED ? null : file.subarray(start, start + size);
}

function checksum(block: Uint8Array): Buffer {
  const bytes = Buffer.alloc(CHECKSUM_SIZE);
  bytes.writeBigUInt64LE(Bun.hash.xxHash64(block));
  return bytes;
}
