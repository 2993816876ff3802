import { BootError } from "../../src/errors.ts";
import { type CpioMember, type PartialCpioArchive, readCpioPart } from "../cpio-reader.ts";
import { findCompression } from "./compressions.ts";

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

/** What one segment may unpack to: a Uint8Array of Bun's holds 4 GiB. */
const UNPACKED_MAX = 0xffff_ffff;

/** Takes an image apart. Whatever is in the bytes, it throws nothing: what cannot be read is a `problem`. */
export function readSegments(bytes: Uint8Array, limit = UNPACKED_MAX): ImageSegments {
  const segments: Segment[] = [];
  for (let at = skipZeros(bytes, 0); at < bytes.length; ) {
    try {
      const { segment, end } = readSegment(bytes, at, limit);
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
  limit: number,
): { readonly segment: Segment; readonly end: number } {
  const compression = findCompression(bytes, offset);
  if (compression === null) return readPlainSegment(bytes, offset);
  const { unpacked, end, problem } = compression.unpack(bytes, offset, limit);
  const { archives, problems } = readArchives(unpacked);
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

function readPlainSegment(bytes: Uint8Array, offset: number): { readonly segment: Segment; readonly end: number } {
  const format = formatAt(bytes, offset);
  if (format === null) throw unknownData(bytes, offset);
  const archive = readCpioPart(bytes, offset);
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
function readArchives(bytes: Uint8Array): Pick<Segment, "archives" | "problems"> {
  const archives: Archive[] = [];
  const problems: string[] = [];
  for (let at = skipZeros(bytes, 0); at < bytes.length; ) {
    const format = formatAt(bytes, at);
    if (format === null) {
      problems.push(`in what it unpacks to, ${unknownData(bytes, at).message}`);
      break;
    }
    const archive = readCpioPart(bytes, at);
    archives.push({ format, offset: at, members: archive.members });
    problems.push(...describeProblems(archive));
    if (archive.problem !== null) break;
    at = archive.end;
  }
  return { archives, problems };
}

function describeProblems({ members, problem }: PartialCpioArchive): readonly string[] {
  const wrong = members.filter(({ checksum, data }) => checksum !== null && checksum !== sumOf(data));
  return [
    ...wrong.map(({ name }) => `the checksum of ${name} is wrong`),
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
