import { SyscallError } from "../problems/errors.ts";
import type { ByteSource } from "./facts.ts";

/** Kind of device: partitions are not searched for the signatures of whole disks, nor optical media, whose end cannot be read, for RAID and swap. */
export type AreaKind = "file" | "disk" | "partition" | "optical";

/** A device, file or part of one that is probed: reads are checked against its end, cached, and limited in total. */
export interface Area {
  /** Bytes. */
  readonly size: number;
  readonly kind: AreaKind;
  /** Bytes of a logical sector, by which partition tables count. */
  readonly sectorSize: number;
  /** True up to the size of a floppy disk, where libblkid looks neither for RAID nor for a second signature. */
  readonly isTiny: boolean;
  /** True if `length` bytes from `offset` are inside. */
  contains(offset: number, length: number): boolean;
  /** The first 33 KiB, or all of a smaller device; empty for a part, and if they cannot be read. They decide about nearly every type. Callers must not change them. */
  head(): Uint8Array;
  /** Exactly `length` bytes from `offset`; null if the device is too short, cannot be read, or the read limit is reached. Callers must not change them. */
  bytes(offset: number, length: number): Uint8Array | null;
  /** The part of `length` bytes from `offset`, which shares the read limit; null if it is not inside. */
  part(offset: number, length: number): Area | null;
}

/** Most bytes that are read from one device. A field on the disk that asks for more is not trusted. */
export const READ_LIMIT_BYTES = 1024 * 1024;
/** Up to the first sector of optical media; later places are far apart. So less than 64 KiB in total identify most devices. */
const HEAD_BYTES = 33 * 1024;
const PAGE_BYTES = 1024;
const NOTHING = new Uint8Array();
const TINY_BYTES = 1440 * 1024;

/** How to probe a device; `sectorSize` is 512 by default. */
export type ExamineOptions = Partial<Pick<Area, "kind" | "sectorSize">>;

/** Returns all of `source` as an area. */
export function examine(source: ByteSource, { kind = "file", sectorSize = 512 }: ExamineOptions = {}): Area {
  return makeArea(cacheBlocks(source), { start: 0, size: source.size, kind, sectorSize });
}

type ReadBlocks = (offset: number, length: number) => Uint8Array | null;

type Extent = Pick<Area, "size" | "kind" | "sectorSize"> & { readonly start: number };

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
      // A part is read in few places: reading its head in advance would cost more.
      head ??= (start === 0 ? read(0, Math.min(size, HEAD_BYTES)) : null) ?? NOTHING;
      return head;
    },
    bytes: (offset, length) => (contains(offset, length) ? read(start + offset, length) : null),
    part: (offset, length) =>
      contains(offset, length) ? makeArea(read, { start: start + offset, size: length, kind, sectorSize }) : null,
  };
}

/** Reads the first 33 KiB at once and the rest by pages, longer ranges directly; never more than the limit. */
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

/** Null where the disk cannot be read (a bad sector, the unreadable end of a CD): there is no signature then. */
function readExactly(source: ByteSource, offset: number, length: number): Uint8Array | null {
  try {
    const bytes = source.read(offset, length);
    return bytes.length === length ? bytes : null;
  } catch (error) {
    if (error instanceof SyscallError) return null;
    throw error;
  }
}
