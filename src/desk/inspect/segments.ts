import { holds } from "../../formats/bytes.ts";
import { BootError } from "../../problems/errors.ts";
import { MAGIC } from "../archive/cpio.ts";
import {
  type CpioMember,
  CRC_MAGIC,
  type PartialCpioArchive,
  readCpioPart,
  skipZeros,
} from "../archive/cpio-reader.ts";
import { ARCHIVE_ALIGN } from "../archive/padding.ts";
import { findCompression } from "./streams/compressions.ts";
import { ARRAY_MAX, MEMBER_BYTES, TooLargeError } from "./streams/size-limit.ts";

/** One archive of a segment; `offset` in the file or, if the segment is compressed, in the unpacked data. */
type Archive = Readonly<{ format: "newc" | "crc"; offset: number; members: readonly CpioMember[] }>;

/** A piece of an image as init/initramfs.c reads them one after another: an archive, or a compressed stream of archives. */
export interface Segment {
  /** "none", or a name of `COMPRESSIONS`. */
  readonly compression: string;
  readonly offset: number;
  /** Bytes in the file, without zeros that follow. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly archives: readonly Archive[];
  /** What is wrong with it, as clauses. */
  readonly problems: readonly string[];
}

/** Real images have up to six. Each compressed one may start a program. */
const SEGMENTS_MAX = 1000;
const CHECKSUM_PROBLEMS_MAX = 20;

/** The bytes that remain of the limit, which holds for all segments together; a member counts MEMBER_BYTES besides its data. */
interface Budget {
  left: number;
}

/**
 * Reads the segments of an image. Never throws: `problem` is why reading stopped before the end of the file, as the kernel does
 * there, null if it did not; a TooLargeError if the image takes more than `limit` bytes.
 */
export function readSegments(
  bytes: Uint8Array,
  limit = ARRAY_MAX,
): { readonly segments: readonly Segment[]; readonly problem: BootError | null } {
  const segments: Segment[] = [];
  const budget: Budget = { left: limit };
  let count = 0;
  for (let at = skipZeros(bytes, 0); at < bytes.length; ) {
    try {
      count += 1;
      if (count > SEGMENTS_MAX) throw new BootError(`the file has more than ${SEGMENTS_MAX} segments`);
      const { segment, end } = readSegment(bytes, at, budget);
      // A compressor may end with an empty stream, as Bun's zstd does: it counts as padding.
      if (segment.unpackedSize > 0) segments.push(segment);
      at = skipZeros(bytes, end);
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      return { segments, problem: error };
    }
  }
  return { segments, problem: segments.length === 0 ? new BootError("the file contains no archive") : null };
}

function readSegment(bytes: Uint8Array, offset: number, budget: Budget) {
  const compression = findCompression(bytes, offset);
  if (compression === null) return readPlainSegment(bytes, offset, budget);
  const { unpacked, end, problem } = compression.unpack(bytes, offset, budget.left);
  budget.left -= unpacked.length;
  const { archives, problems } = readArchives(unpacked, budget);
  const segment = {
    compression: compression.name,
    offset,
    size: end - offset,
    unpackedSize: unpacked.length,
    archives,
    problems: [...(problem === null ? [] : [problem]), ...problems],
  };
  return { segment, end };
}

function readPlainSegment(bytes: Uint8Array, offset: number, budget: Budget) {
  const format = formatAt(bytes, offset);
  if (format === null) throw unknownData(bytes, offset);
  const archive = readArchive(bytes, offset, budget);
  const { members, problem } = archive;
  if (problem !== null && members.length === 0) throw problem;
  let dataEnd = archive.end;
  while (dataEnd > offset && bytes[dataEnd - 1] === 0) dataEnd -= 1; // padding is not part of the segment
  const segment = {
    compression: "none",
    offset,
    size: dataEnd - offset,
    unpackedSize: dataEnd - offset,
    archives: [{ format, offset, members }],
    problems: [...describeProblems(archive), ...(offset % ARCHIVE_ALIGN === 0 ? [] : [explainOffset(offset)])],
  };
  // The end of a damaged archive is not known.
  return { segment, end: problem === null ? archive.end : bytes.length };
}

function explainOffset(offset: number): string {
  const lacking = ARCHIVE_ALIGN - (offset % ARCHIVE_ALIGN);
  return `the kernel reads an uncompressed archive only at a multiple of ${ARCHIVE_ALIGN} bytes, and it begins at byte ${offset}: put ${lacking} zero ${lacking === 1 ? "byte" : "bytes"} before it`;
}

/** Reads every archive of a compressed segment; zeros may lie between them. */
function readArchives(bytes: Uint8Array, budget: Budget): Pick<Segment, "archives" | "problems"> {
  const archives: Archive[] = [];
  const problems: string[] = [];
  for (let at = skipZeros(bytes, 0); at < bytes.length; ) {
    const format = formatAt(bytes, at);
    if (format === null) {
      problems.push(`in the unpacked data: ${unknownData(bytes, at).message}`);
      break;
    }
    const archive = readArchive(bytes, at, budget);
    archives.push({ format, offset: at, members: archive.members });
    problems.push(...describeProblems(archive));
    if (archive.problem !== null) break;
    at = archive.end;
  }
  return { archives, problems };
}

function readArchive(bytes: Uint8Array, at: number, budget: Budget): PartialCpioArchive {
  const most = Math.floor(budget.left / MEMBER_BYTES);
  const archive = readCpioPart(bytes, at, most);
  // One for the archive itself: thousands that consist of a trailer alone must not be free.
  budget.left -= (archive.members.length + 1) * MEMBER_BYTES;
  if (budget.left < 0) throw new TooLargeError(`the archive at byte ${at} has more than ${most} members`);
  return archive;
}

function describeProblems({ members, problem }: PartialCpioArchive): readonly string[] {
  const sumOf = (data: Uint8Array) => data.reduce((sum, byte) => (sum + byte) >>> 0, 0);
  const wrong = members.filter(({ checksum, data }) => checksum !== null && checksum !== sumOf(data));
  return [
    ...wrong.slice(0, CHECKSUM_PROBLEMS_MAX).map(({ name }) => `the checksum of ${name} is wrong`),
    ...(wrong.length > CHECKSUM_PROBLEMS_MAX ? [`${wrong.length} checksums are wrong in total`] : []),
    ...(problem === null ? [] : [problem.message]),
  ];
}

function formatAt(bytes: Uint8Array, at: number): Archive["format"] | null {
  if (holds(bytes, at, MAGIC)) return "newc";
  return holds(bytes, at, CRC_MAGIC) ? "crc" : null;
}

function unknownData(bytes: Uint8Array, at: number): BootError {
  if (holds(bytes, at, "070707") || (bytes[at] === 0xc7 && bytes[at + 1] === 0x71)) {
    return new BootError(`the cpio archive at byte ${at} has an old format, which the kernel does not read`, {
      hint: "create it with cpio -H newc",
    });
  }
  const seen = Buffer.from(bytes.subarray(at, at + 8)).toString("hex");
  return new BootError(`neither a cpio archive nor compressed data at byte ${at}`, { seen: [seen] });
}
