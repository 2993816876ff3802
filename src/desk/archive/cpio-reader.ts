import { BootError } from "../../problems/errors.ts";
import { align, HEADER_BYTES, MAGIC, TRAILER } from "./cpio.ts";

/** One member of a newc archive. */
export type CpioMember = ReturnType<typeof readMember>["member"];

const NAME_MAX = 4096;
/** The first bytes of every header of the crc format. */
export const CRC_MAGIC = "070702";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The readable part of an archive. */
export type PartialCpioArchive = ReturnType<typeof readCpioPart>;

/**
 * Reads as much as possible of the newc ("070701") or crc ("070702", its sums are not checked) archive at `start`, and at most one
 * member more than `most`. Reading stopped at `end`, which is after the trailer and its padding if `problem` is null.
 */
export function readCpioPart(bytes: Uint8Array, start = 0, most = Number.POSITIVE_INFINITY) {
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

function readMember(bytes: Uint8Array, start: number, offset: number) {
  const { size, nameSize, ...fields } = readHeader(bytes, offset);
  if (nameSize < 1 || nameSize > NAME_MAX) throw malformed(offset, `a name of ${nameSize} bytes`);
  const nameStart = offset + HEADER_BYTES;
  const nameEnd = nameStart + nameSize - 1;
  // Padding counts from the begin of this archive, which may follow another one in the same file.
  const dataStart = start + align(nameEnd + 1 - start, 4);
  const dataEnd = dataStart + size;
  // The padding may be missing after a name without data.
  if ((size > 0 ? dataEnd : nameEnd + 1) > bytes.length) throw malformed(offset, "the file is truncated");
  if (bytes[nameEnd] !== 0) throw malformed(offset, "a name without a NUL");
  const name = decoder.decode(bytes.subarray(nameStart, nameEnd));
  const data = bytes.subarray(dataStart, dataEnd);
  return {
    /** The name is as written: "bin/sh", "./bin/sh" or "/bin/sh"; the data is a view of the file's content or the symlink's target. */
    member: { ...fields, name, data },
    // The padding may be missing after data, too.
    next: Math.min(start + align(dataEnd - start, 4), bytes.length),
  };
}

function readHeader(bytes: Uint8Array, offset: number) {
  const text = Buffer.from(bytes.subarray(offset, offset + HEADER_BYTES)).toString("latin1");
  const isCrc = text.startsWith(CRC_MAGIC);
  if (text.length < HEADER_BYTES) throw malformed(offset, "the file ends without a trailer");
  if (!text.startsWith(MAGIC) && !isCrc) throw malformed(offset, "no magic number of a newc header");
  if (!/^[0-9a-fA-F]+$/.test(text)) throw malformed(offset, "a field that is not hexadecimal");
  const at = (index: number) => Number.parseInt(text.slice(6 + index * 8, 14 + index * 8), 16);
  // Hard links share ino and device; mode is st_mode; major and minor are of the device that a node represents.
  return {
    ...{ ino: at(0), mode: at(1), uid: at(2), gid: at(3), nlink: at(4), mtime: at(5), size: at(6) },
    ...{ devMajor: at(7), devMinor: at(8), major: at(9), minor: at(10), nameSize: at(11) },
    checksum: isCrc ? at(12) : null,
  };
}

/** Returns the offset of the first byte from `offset` on that is not zero. */
export function skipZeros(bytes: Uint8Array, offset: number): number {
  let end = offset;
  while (end < bytes.length && bytes[end] === 0) end += 1;
  return end;
}

function malformed(offset: number, reason: string): BootError {
  return new BootError(`not a cpio archive that the kernel reads: ${reason} at byte ${offset}`, {
    hint: "check that the file is complete and not compressed",
  });
}
