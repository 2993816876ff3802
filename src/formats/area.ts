import { SyscallError } from "../problems/errors.ts";
import type { ByteSource } from "./facts.ts";

/** What is examined: signatures of disks are not looked for in partitions, nor those of RAID and swap on optical media, whose end cannot be read. */
export type AreaKind = "file" | "disk" | "partition" | "optical";

/** A device or file under examination, or a part of one: reads are checked against its end, kept, and limited in sum. */
export interface Area {
  /** Bytes. */
  readonly size: number;
  readonly kind: AreaKind;
  /** Bytes of a logical sector, by which partition tables count. */
  readonly sectorSize: number;
  /** True up to the size of a floppy disk, where libblkid neither looks for RAID nor for a second signature. */
  readonly isTiny: boolean;
  /** True where `length` bytes from `offset` lie inside. */
  contains(offset: number, length: number): boolean;
  /** The first 33 KiB, or all of less, not to be changed; nothing in a part, and where they cannot be read. Nearly every type is told by them. */
  head(): Uint8Array;
  /** Exactly `length` bytes from `offset`, not to be changed; null where they are not all there, cannot be read, or are too many. */
  bytes(offset: number, length: number): Uint8Array | null;
  /** The part of `length` bytes from `offset`, with the same limit in sum; null where it does not lie inside. */
  part(offset: number, length: number): Area | null;
}

/** What is read of one device at most, bytes. A field on the disk that asks for more is not believed. */
export const READ_LIMIT_BYTES = 1024 * 1024;
/** Up to the first sector of optical media; what is behind it lies far apart. So most devices are known by less than 64 KiB in sum. */
const HEAD_BYTES = 33 * 1024;
const PAGE_BYTES = 1024;
const NOTHING = new Uint8Array();
const TINY_BYTES = 1440 * 1024;

/** How to look at a device; `sectorSize` is 512 where it is not given. */
export interface ExamineOptions {
  readonly kind?: AreaKind;
  readonly sectorSize?: number;
}

/** The whole of `source` as an area. */
export function examine(source: ByteSource, { kind = "file", sectorSize = 512 }: ExamineOptions = {}): Area {
  return makeArea(cacheBlocks(source), { start: 0, size: source.size, kind, sectorSize });
}

type ReadBlocks = (offset: number, length: number) => Uint8Array | null;

interface Extent {
  readonly start: number;
  readonly size: number;
  readonly kind: AreaKind;
  readonly sectorSize: number;
}

function makeArea(read: ReadBlocks, { start, size, kind, sectorSize }: Extent): Area {
  let head: Uint8Array | null = null;
  const contains = (offset: number, length: number) =>
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length > 0 &&
    offset + length <= size;
  return {
    size,
    kind,
    sectorSize,
    isTiny: size <= TINY_BYTES,
    contains,
    head() {
      // Of a part nobody looks at so many places that it would be worth the reading.
      head ??= (start === 0 ? read(0, Math.min(size, HEAD_BYTES)) : null) ?? NOTHING;
      return head;
    },
    bytes: (offset, length) => (contains(offset, length) ? read(start + offset, length) : null),
    part: (offset, length) =>
      contains(offset, length) ? makeArea(read, { start: start + offset, size: length, kind, sectorSize }) : null,
  };
}

/** Reads the first 33 KiB in one piece, the rest by pages or, where more is asked for, directly; never more than the limit. */
function cacheBlocks(source: ByteSource): ReadBlocks {
  const pages = new Map<number, Uint8Array>();
  let budgetBytes = READ_LIMIT_BYTES;
  const load = (offset: number, length: number): Uint8Array | null => {
    const wanted = Math.min(length, source.size - offset);
    if (wanted <= 0 || wanted > budgetBytes) return null;
    budgetBytes -= wanted;
    return readExactly(source, offset, wanted);
  };
  const cached = (offset: number, length: number): Uint8Array | null => {
    let block = pages.get(offset);
    if (block === undefined) {
      block = load(offset, length) ?? new Uint8Array();
      pages.set(offset, block);
    }
    return block;
  };
  const loadAndKeep = (offset: number, length: number): Uint8Array | null => {
    const bytes = load(offset, length);
    const first = Math.max(HEAD_BYTES, Math.ceil(offset / PAGE_BYTES) * PAGE_BYTES);
    for (let at = first; bytes !== null && at + PAGE_BYTES <= offset + bytes.length; at += PAGE_BYTES) {
      pages.set(at, bytes.subarray(at - offset, at - offset + PAGE_BYTES));
    }
    return bytes;
  };
  return (offset, length) => {
    const end = offset + length;
    const blockBytes = end <= HEAD_BYTES ? HEAD_BYTES : PAGE_BYTES;
    const first = offset - (offset % blockBytes);
    if (end > first + blockBytes) return loadAndKeep(offset, length);
    const found = cached(first, blockBytes)?.subarray(offset - first, end - first);
    return found?.length === length ? found : null;
  };
}

/** A disk that cannot be read at some place (a bad sector, the unreadable end of a CD) has no signature there. */
function readExactly(source: ByteSource, offset: number, length: number): Uint8Array | null {
  try {
    const bytes = source.read(offset, length);
    return bytes.length === length ? bytes : null;
  } catch (error) {
    if (error instanceof SyscallError) return null;
    throw error;
  }
}
