import { BootError } from "../../problems/errors.ts";
import { align, HEADER_BYTES, MAGIC } from "./cpio.ts";
import { TRAILER } from "./cpio-limits.ts";

/** One member of a newc archive as it stands there. */
export interface CpioMember {
  /** As written, UTF-8: "bin/sh", "./bin/sh" or "/bin/sh". */
  readonly name: string;
  /** With the device that held the file: what hard links share. */
  readonly ino: number;
  readonly devMajor: number;
  readonly devMinor: number;
  /** Type and permission bits, as st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** The device a node stands for. */
  readonly major: number;
  readonly minor: number;
  /** A view of the archive: the file's content or the symlink's target. */
  readonly data: Uint8Array;
  /** In a crc archive the sum of the data's bytes; null in a newc one. */
  readonly checksum: number | null;
}

/** One archive of a file that may hold several after another. */
export interface CpioArchive {
  readonly members: readonly CpioMember[];
  /** The byte after the trailer and the zeros that pad it: where a next archive would begin. */
  readonly end: number;
}

/** What could be read of an archive, and why not more; null where it is whole. `end` is then where reading stopped. */
export interface PartialCpioArchive extends CpioArchive {
  readonly problem: BootError | null;
}

const NAME_MAX = 4096;
const CRC_MAGIC = "070702";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads one newc ("070701") or crc ("070702", its sums are not checked) archive that begins at `start`.
 * Throws BootError, and nothing else, where the bytes are not one.
 */
export function readCpio(bytes: Uint8Array, start = 0): CpioArchive {
  const { problem, ...archive } = readCpioPart(bytes, start);
  if (problem !== null) throw problem;
  return archive;
}

/** The same, but gives what could be read of a damaged archive; of one with more members than `most`, one more than that. */
export function readCpioPart(bytes: Uint8Array, start = 0, most = Number.POSITIVE_INFINITY): PartialCpioArchive {
  const members: CpioMember[] = [];
  for (let offset = start; ; ) {
    try {
      const { member, next } = readMember(bytes, start, offset);
      if (member.name === TRAILER) return { members, end: skipZeros(bytes, next), problem: null };
      members.push(member);
      if (members.length > most) throw malformed(offset, `more than ${most} members`);
      offset = next;
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      return { members, end: offset, problem: error };
    }
  }
}

function readMember(bytes: Uint8Array, start: number, offset: number): { member: CpioMember; next: number } {
  const fields = readHeader(bytes, offset);
  const [ino, mode, uid, gid, nlink, mtime, size, devMajor, devMinor, major, minor, nameSize, sum] = fields;
  if (nameSize < 1 || nameSize > NAME_MAX) throw malformed(offset, `a name of ${nameSize} bytes`);
  const nameStart = offset + HEADER_BYTES;
  const nameEnd = nameStart + nameSize - 1;
  // Padding counts from the archive's own begin: it may follow another one in the same file.
  const dataStart = start + align(nameEnd + 1 - start, 4);
  const dataEnd = dataStart + size;
  // After a name without data the padding may be cut off.
  if ((size > 0 ? dataEnd : nameEnd + 1) > bytes.length) throw malformed(offset, "the file ends within it");
  if (bytes[nameEnd] !== 0) throw malformed(offset, "a name without its end");
  const name = decoder.decode(bytes.subarray(nameStart, nameEnd));
  const data = bytes.subarray(dataStart, dataEnd);
  return {
    member: { name, ino, devMajor, devMinor, mode, uid, gid, nlink, mtime, major, minor, data, checksum: sum },
    // So may the padding after data.
    next: Math.min(start + align(dataEnd - start, 4), bytes.length),
  };
}

type Fields = [
  ino: number,
  mode: number,
  uid: number,
  gid: number,
  nlink: number,
  mtime: number,
  size: number,
  devMajor: number,
  devMinor: number,
  major: number,
  minor: number,
  nameSize: number,
  checksum: number | null,
];

function readHeader(bytes: Uint8Array, offset: number): Fields {
  const text = Buffer.from(bytes.subarray(offset, offset + HEADER_BYTES)).toString("latin1");
  if (text.length < HEADER_BYTES) throw malformed(offset, "the file ends without a trailer");
  if (!text.startsWith(MAGIC) && !text.startsWith(CRC_MAGIC)) throw malformed(offset, "not the magic of a newc header");
  if (!/^[0-9a-fA-F]+$/.test(text)) throw malformed(offset, "a number that is not hexadecimal");
  const at = (index: number) => Number.parseInt(text.slice(6 + index * 8, 14 + index * 8), 16);
  const checksum = text.startsWith(CRC_MAGIC) ? at(12) : null;
  return [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9), at(10), at(11), checksum];
}

function skipZeros(bytes: Uint8Array, offset: number): number {
  let end = offset;
  while (end < bytes.length && bytes[end] === 0) end += 1;
  return end;
}

function malformed(offset: number, reason: string): BootError {
  return new BootError(`not a cpio archive as the kernel reads it: ${reason} at byte ${offset}`, {
    hint: "check that the file is complete, and not compressed",
  });
}
