// Unpacks the LZ4 frames of stage0 with lz4(1).

/** What lz4(1) wants before the size of a block: the head of a file with independent blocks of up to 4 MiB, without checksums. */
const FILE_HEAD = Buffer.from("04224d18607073", "hex");
/** The magic number and the checksum of build/stage0/paged/lz4.ts. */
const MAGIC = "levLZ4b\n";
const HEAD_SIZE = 16;

/** Returns what build/stage0/paged/lz4.ts has compressed; null for a frame of another kind. */
export function unpackLz4(frame: Uint8Array): Buffer | null {
  const bytes = Buffer.from(frame);
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return null;
  const block = bytes.subarray(HEAD_SIZE);
  const [size, end] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32LE(block.length);
  const run = Bun.spawnSync(["lz4", "-d", "-c"], { stdin: Buffer.concat([FILE_HEAD, size, block, end]) });
  if (run.exitCode !== 0) throw new Error(`lz4: ${run.stderr.toString()}`);
  return run.stdout;
}
