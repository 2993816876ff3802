import type { DataReader, DataWriter, Tree } from "../../machine/trees.ts";

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
  const [mine, theirs] = [Buffer.alloc(chunkFor(one)), Buffer.alloc(chunkFor(one))];
  for (let at = nextInEither(one, other, 0); at !== null; at = nextInEither(one, other, at + CHUNK_BYTES)) {
    const count = one.read(mine, at);
    if (other.read(theirs, at) !== count || !mine.subarray(0, count).equals(theirs.subarray(0, count))) return false;
  }
  return true;
}

/** Returns where the next data of one of the files begins; null if there is none. */
function nextInEither(one: DataReader, other: DataReader, offset: number): number | null {
  const starts = [one, other].flatMap((file) => file.nextData(offset)?.start ?? []);
  return starts.length === 0 ? null : Math.min(...starts);
}

/**
 * Copies the data of a file into a new one, with its holes. `onProgress` gets the bytes of each part. Returns false if the file has
 * changed meanwhile: a program that writes through mmap(2) changes none of its times, so it is read once more.
 */
export function copyContent(from: DataReader, to: DataWriter, onProgress: (bytes: number) => void): boolean {
  const extents = listData(from);
  let copied: bigint;
  try {
    copied = hashData(from, extents, (part, offset) => {
      to.write(part, offset);
      onProgress(part.length);
    });
  } finally {
    to.finish(from.size);
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
  const buffer = Buffer.alloc(chunkFor(from));
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

function chunkFor({ size }: DataReader): number {
  return Math.max(1, Math.min(size, CHUNK_BYTES));
}

/** Uses an open file, and closes it. */
export function using<File extends { close(): void }, Result>(file: File, use: (file: File) => Result): Result {
  try {
    return use(file);
  } finally {
    file.close();
  }
}
