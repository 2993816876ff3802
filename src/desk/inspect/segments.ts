import { BootError } from "../../problems/errors.ts";
import { type CpioMember, type PartialCpioArchive, readCpioPart } from "../archive/cpio-reader.ts";
import { findCompression } from "./streams/compressions.ts";
import { ARRAY_MAX, MEMBER_BYTES, TooLargeError } from "./streams/size-limit.ts";

/** One archive of a segment. */
export interface Archive {
  readonly format: "newc" | "crc";
  /** Of its first byte: in the file or, where the segment is compressed, in what it unpacks to. */
  readonly offset: number;
  readonly members: readonly CpioMember[];
}

/** A piece of an image as init/initramfs.c takes them one after another: an archive, or a compressed stream of archives. */
export interface Segment {
  /** "none", or a name of `COMPRESSIONS`. */
  readonly compression: string;
  /** Bytes from the begin of the file. */
  readonly offset: number;
  /** Bytes in the file, without the zeros that may follow. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly archives: readonly Archive[];
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
}

/** An image as it lies in its file. */
export interface ImageSegments {
  readonly segments: readonly Segment[];
  /** Where and why reading stopped before the end of the file; null where all of it is understood. The kernel stops there, too. */
  readonly problem: BootError | null;
}

/** Images have up to six. Each compressed one may start a program. */
const SEGMENTS_MAX = 1000;
const CHECKSUM_PROBLEMS_MAX = 20;

/** What of the limit is left: all segments together may unpack to it, each member counted with MEMBER_BYTES besides. */
interface Budget {
  left: number;
}

/**
 * Takes an image apart. Whatever is in the bytes, it throws nothing: what cannot be read is a `problem`, a TooLargeError
 * where all of it together takes more than `limit` bytes.
 */
export function readSegments(bytes: Uint8Array, limit = ARRAY_MAX): ImageSegments {
  const segments: Segment[] = [];
  const budget: Budget = { left: limit };
  let count = 0;
  for (let at = skipZeros(bytes, 0); at < bytes.length; ) {
    try {
      count += 1;
      if (count > SEGMENTS_MAX) throw new BootError(`the file has more than ${SEGMENTS_MAX} segments`);
      const { segment, end } = readSegment(bytes, at, budget);
      // A compressor may end with a stream of nothing, as Bun's zstd does: no more than padding.
      if (segment.unpackedSize > 0) segments.push(segment);
      at = skipZeros(bytes, end);
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      return { segments, problem: error };
    }
  }
  return { segments, problem: segments.length === 0 ? new BootError("there is no archive in the file") : null };
}

function readSegment(
  bytes: Uint8Array,
  offset: number,
  budget: Budget,
): { readonly segment: Segment; readonly end: number } {
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

function readPlainSegment(
  bytes: Uint8Array,
  offset: number,
  budget: Budget,
): { readonly segment: Segment; readonly end: number } {
  const format = formatAt(bytes, offset);
  if (format === null) throw unknownData(bytes, offset);
  const archive = readArchive(bytes, offset, budget);
  const size = trimZeros(bytes, offset, archive.end) - offset;
  // Nobody can tell where the rest of a damaged archive ends.
  if (archive.problem !== null && archive.members.length === 0) throw archive.problem;
  const problems = [
    ...describeProblems(archive),
    ...(offset % 4 === 0 ? [] : ["it does not begin at a multiple of four bytes, where the kernel looks for it"]),
  ];
  const segment = {
    compression: "none",
    offset,
    size,
    unpackedSize: size,
    archives: [{ format, offset, members: archive.members }],
    problems,
  };
  return { segment, end: archive.problem === null ? archive.end : bytes.length };
}

/** Every archive of a compressed segment; zeros may lie between them. */
function readArchives(bytes: Uint8Array, budget: Budget): Pick<Segment, "archives" | "problems"> {
  const archives: Archive[] = [];
  const problems: string[] = [];
  for (let at = skipZeros(bytes, 0); at < bytes.length; ) {
    const format = formatAt(bytes, at);
    if (format === null) {
      problems.push(`in what it unpacks to, ${unknownData(bytes, at).message}`);
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
  // One for the archive itself: a thousand of a trailer alone must not be free.
  budget.left -= (archive.members.length + 1) * MEMBER_BYTES;
  if (budget.left < 0) throw new TooLargeError(`the archive at byte ${at} has more than ${most} members`);
  return archive;
}

function describeProblems({ members, problem }: PartialCpioArchive): readonly string[] {
  const wrong = members.filter(({ checksum, data }) => checksum !== null && checksum !== sumOf(data));
  return [
    ...wrong.slice(0, CHECKSUM_PROBLEMS_MAX).map(({ name }) => `the checksum of ${name} is wrong`),
    ...(wrong.length > CHECKSUM_PROBLEMS_MAX ? [`${wrong.length} checksums are wrong in all`] : []),
    ...(problem === null ? [] : [problem.message]),
  ];
}

function sumOf(data: Uint8Array): number {
  let sum = 0;
  for (const byte of data) sum = (sum + byte) >>> 0;
  return sum;
}

function formatAt(bytes: Uint8Array, at: number): Archive["format"] | null {
  const magic = textAt(bytes, at, 6);
  if (magic === "070701") return "newc";
  return magic === "070702" ? "crc" : null;
}

function unknownData(bytes: Uint8Array, at: number): BootError {
  if (textAt(bytes, at, 6) === "070707" || (bytes[at] === 0xc7 && bytes[at + 1] === 0x71)) {
    return new BootError(`there is a cpio archive of an old format at byte ${at}, which the kernel does not read`, {
      hint: "make it again with cpio -H newc",
    });
  }
  const seen = Buffer.from(bytes.subarray(at, at + 8)).toString("hex");
  return new BootError(`there is neither a cpio archive nor compressed data at byte ${at}`, { seen: [seen] });
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString("latin1");
}

function skipZeros(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] === 0) at += 1;
  return at;
}

/** Padding after the trailer is not the segment's own. */
function trimZeros(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] === 0) at -= 1;
  return at;
}
