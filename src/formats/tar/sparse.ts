import type { ByteQueue } from "./byte-queue.ts";
import { ArchiveError } from "./fault.ts";
import { BLOCK_BYTES, readNumber, type TarHeader } from "./header.ts";
import { type PaxRecords, paxNumber, paxText } from "./pax.ts";

/** Where the data of an entry belong; what lies between is a hole. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** The content of a file in the archive. */
export interface TarContent {
  readonly extents: readonly Extent[];
  /** Of the file, with its holes. */
  readonly size: number;
  /** How many bytes of data follow. */
  readonly dataBytes: number;
}

const MOST_EXTENTS = 1 << 16;
/** GNU tar's own format has four of them in the header, and 21 in each block that follows. */
const GNU = { at: 386, count: 4, more: 482, size: 483, inBlock: 21, moreInBlock: 504 } as const;
const EXTENT_BYTES = 24;
/** For two numbers of 16 digits, a line each. */
const MOST_BLOCKS = Math.ceil((MOST_EXTENTS * 34) / BLOCK_BYTES);
const NEWLINE = 0x0a;

/**
 * Reads which parts of a file are in the archive: all of it, or those that GNU tar names ("Storing Sparse Files" of its manual), in
 * its own format or in versions 0.0, 0.1 and 1.0 of its keywords. Throws ArchiveError.
 */
export async function readContent(
  bytes: ByteQueue,
  block: Uint8Array,
  header: TarHeader,
  records: PaxRecords,
): Promise<TarContent> {
  const stored = paxNumber(records, "size") ?? header.size;
  if (stored < 0) throw new ArchiveError("malformed", header.name, "the size");
  if (header.type === "S") return checked(header, await readGnu(bytes, block), stored);
  if (paxNumber(records, "GNU.sparse.major") === 1) return readVersion1(bytes, header, records, stored);
  const size = paxNumber(records, "GNU.sparse.size");
  if (size === null) return { extents: [{ offset: 0, size: stored }], size: stored, dataBytes: stored };
  return checked(header, { extents: listExtents(records), size }, stored);
}

type Found = Omit<TarContent, "dataBytes">;

/** Throws ArchiveError unless the parts are in their order, in the file, and as large as the data. */
function checked({ name }: TarHeader, { extents, size }: Found, dataBytes: number): TarContent {
  let [end, sum] = [0, 0];
  for (const extent of extents) {
    if (!(extent.offset >= end && extent.size >= 0)) throw new ArchiveError("malformed", name, "its holes");
    end = extent.offset + extent.size;
    sum += extent.size;
  }
  const isPossible = end <= size && sum === dataBytes && Number.isSafeInteger(size);
  if (!isPossible || extents.length > MOST_EXTENTS) throw new ArchiveError("malformed", name, "its holes");
  return { extents, size, dataBytes };
}

async function readGnu(bytes: ByteQueue, block: Uint8Array): Promise<Found> {
  const extents = listGnu(block.subarray(GNU.at), GNU.count);
  let hasMore = block[GNU.more] !== 0;
  while (hasMore && extents.length <= MOST_EXTENTS) {
    const next = await bytes.take(BLOCK_BYTES);
    extents.push(...listGnu(next, GNU.inBlock));
    hasMore = next[GNU.moreInBlock] !== 0;
  }
  return { extents, size: readNumber(block.subarray(GNU.size, GNU.size + 12)) ?? Number.NaN };
}

function listGnu(bytes: Uint8Array, count: number): Extent[] {
  const at = (index: number) => bytes.subarray(index * 12, index * 12 + 12);
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => bytes[index * EXTENT_BYTES] !== 0)
    .map((index) => ({ offset: numberAt(at(2 * index)), size: numberAt(at(2 * index + 1)) }));
}

function numberAt(field: Uint8Array): number {
  return readNumber(field) ?? Number.NaN;
}

/** Version 0.0 has a record for each number, 0.1 one for all. */
function listExtents(records: PaxRecords): readonly Extent[] {
  const map = paxText(records, "GNU.sparse.map");
  const own = records.filter(([keyword]) => /^GNU\.sparse\.(?:offset|numbytes)$/.test(keyword));
  const numbers = map?.split(",") ?? own.map(([, value]) => Buffer.from(value).toString("latin1"));
  return pairs(numbers);
}

function pairs(numbers: readonly string[]): readonly Extent[] {
  const values = numbers.map((text) => (/^\d{1,16}$/.test(text) ? Number(text) : Number.NaN));
  const count = Math.ceil(values.length / 2);
  return Array.from({ length: count }, (_, index) => ({
    offset: values[2 * index] ?? Number.NaN,
    size: values[2 * index + 1] ?? Number.NaN,
  }));
}

/** Version 1.0 has the numbers in front of the data, a line each, padded to a block. */
async function readVersion1(
  bytes: ByteQueue,
  header: TarHeader,
  records: PaxRecords,
  stored: number,
): Promise<TarContent> {
  const size = paxNumber(records, "GNU.sparse.realsize") ?? Number.NaN;
  let text = "";
  let [blocks, lines, wanted] = [0, 0, 1];
  while (lines < wanted) {
    const block = await bytes.take(BLOCK_BYTES);
    text += Buffer.from(block).toString("latin1");
    blocks += 1;
    lines += block.filter((byte) => byte === NEWLINE).length;
    const [, count] = /^(\d{1,5})\n/.exec(text) ?? [];
    wanted = 1 + 2 * Number(count);
    if (!(Number(count) <= MOST_EXTENTS) || blocks > MOST_BLOCKS)
      throw new ArchiveError("malformed", header.name, "its holes");
  }
  const numbers = text.split("\n").slice(1, wanted);
  return checked(header, { extents: pairs(numbers), size }, stored - blocks * BLOCK_BYTES);
}
