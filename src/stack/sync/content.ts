import type { DataReader, DataWriter, Kept, Tree } from "../../machine/trees.ts";

const CHUNK_BYTES = 1 << 20;

/** Returns true if two files have the same bytes. */
export function haveSameContent(oneTree: Tree, onePath: string, otherTree: Tree, otherPath: string): boolean {
  return using(oneTree.openFile(onePath), (one) =>
    using(otherTree.openFile(otherPath), (other) => areEqual(one, other)),
  );
}

/** Skips what is a hole in both: a user can make a file of many TiB that has no data. */
function areEqual(one: DataReader, other: DataReader): boolean {
  if (one.size !== other.size) return false;
  const [mine, theirs] = [chunkFor(one, 0), chunkFor(one, 1)];
  // Most files are small: a look for holes costs more than to read them.
  let at: number | null = 0;
  for (; at !== null && at < one.size; at = nextInEither(one, other, at + CHUNK_BYTES)) {
    const count = one.read(mine, at);
    if (other.read(theirs, at) !== count || mine.compare(theirs, 0, count, 0, count) !== 0) return false;
  }
  return true;
}

/** Returns where the next data of one of the files begins; null if there is none. */
function nextInEither(one: DataReader, other: DataReader, offset: number): number | null {
  const starts = [one, other].flatMap((file) => file.nextData(offset)?.start ?? []);
  return starts.length === 0 ? null : Math.min(...starts);
}

/**
 * Copies the data of a file into a new one, with its holes, and finishes that with `kept`. `onProgress` gets the bytes of each part. Returns false if the file has
 * changed meanwhile: a program that writes through mmap(2) changes none of its times, so it is read once more.
 */
export function copyContent(
  from: DataReader,
  to: DataWriter,
  kept: Kept,
  onProgress: (bytes: number) => void,
): boolean {
  let extents: readonly Extent[] = [];
  let copied: bigint;
  try {
    extents = listData(from);
    copied = hashData(from, extents, (part, offset) => {
      to.write(part, offset);
      onProgress(part.length);
    });
  } finally {
    to.finish(from.size, kept);
  }
  // A hole may have got data.
  const [first] = extents;
  const again = first?.start === 0 && first.end === from.size ? extents : listData(from);
  return hashData(from, again, () => undefined) === copied;
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

function listData(from: DataReader): readonly Extent[] {
  if (!from.mayHaveHoles) return from.size === 0 ? [] : [{ start: 0, end: from.size }];
  const extents: Extent[] = [];
  for (let at = from.nextData(0); at !== null; at = from.nextData(at.end)) extents.push(at);
  return extents;
}

/** Hashes the data of a file, and where they are. `onPart` gets each part, which is overwritten after the call. */
function hashData(
  from: DataReader,
  extents: readonly Extent[],
  onPart: (part: Uint8Array, offset: number) => void,
): bigint {
  const buffer = chunkFor(from, 0);
  let hash = 0n;
  for (const { start, end } of extents) {
    for (let offset = start; offset < end; ) {
      const count = from.read(buffer.subarray(0, end - offset), offset);
      if (count === 0) return hash; // truncated since: the caller sees that the file has changed
      const part = buffer.subarray(0, count);
      onPart(part, offset);
      hash = Bun.hash.xxHash64(part, hash ^ BigInt(offset));
      offset += count;
    }
  }
  return hash;
}

const scratch: (Buffer | undefined)[] = [];

/** Returns one of the two pieces of memory for the data of a file. They are used again for the next one. */
function chunkFor({ size }: DataReader, which: 0 | 1): Buffer {
  scratch[which] ??= Buffer.alloc(CHUNK_BYTES);
  return scratch[which].subarray(0, Math.max(1, Math.min(size, CHUNK_BYTES)));
}

/** Uses an open file, and closes it. */
export function using<File extends { close(): void }, Result>(file: File, use: (file: File) => Result): Result {
  try {
    return use(file);
  } finally {
    file.close();
  }
}
