import { align } from "../../../src/desk/archive/cpio.ts";
import { type Elf, loads } from "../../../src/desk/program/elf.ts";
import { BootError } from "../../../src/problems/errors.ts";

/** The least that userfaultfd and mmap work with: the pages of nearly all kernels. */
export const PAGE = 4096;
/** The protection of constants. */
export const PROT_READ = 1;

/** A segment with its ends moved to pages; a `struct region` of pager.h. From `fileEnd` on its memory is zero. */
export type Region = Readonly<{ address: number; fileEnd: number; memoryEnd: number; protection: number }>;

/** Libraries at a page of the memory behind the program. */
export type Shelf = Readonly<{ address: number; bytes: Uint8Array }>;

/** The memory of a program right after it is loaded. Pages are numbered from address 0. */
export type ProgramMemory = ReturnType<typeof createMemory>;

/**
 * Reads the program as the kernel would map it, with zeros where a page is not filled by its segment, and the libraries behind it.
 * Throws BootError.
 */
export function createMemory(program: Uint8Array, elf: Elf, shelf: Shelf, pageSize: number) {
  const contents = loads(elf).map(({ address, offset, fileSize }) => {
    return { address, bytes: program.subarray(offset, offset + fileSize) };
  });
  contents.push(shelf);
  const regionOf = regionMaker(pageSize);
  const regions = loads(elf).map((load) => regionOf(load, load.fileSize, load.memorySize, mmapFlags(load.flags)));
  // A program without libraries has no such region.
  if (shelf.bytes.length > 0) regions.push(regionOf(shelf, shelf.bytes.length, shelf.bytes.length, PROT_READ));
  for (const [index, region] of regions.entries()) {
    if (region.address < (regions[index - 1]?.memoryEnd ?? 0))
      throw new BootError("the program's segments share a page: it cannot be paged");
  }
  return {
    regions,
    /** Returns the bytes of `count` pages, which must be in one region. */
    read(page: number, count: number): Buffer {
      const start = page * PAGE;
      const bytes = Buffer.alloc(count * PAGE);
      for (const { address, bytes: content } of contents) {
        const from = Math.max(start, address);
        const to = Math.min(start + bytes.length, address + content.length);
        if (from < to) bytes.set(content.subarray(from - address, to - address), from - start);
      }
      return bytes;
    },
  };
}

/** With `pageSize` of the largest pages, a kernel with any can map the regions. */
function regionMaker(pageSize: number) {
  return ({ address }: { address: number }, fileSize: number, memorySize: number, protection: number): Region => ({
    address: address - (address % pageSize),
    fileEnd: align(address + fileSize, pageSize),
    memoryEnd: align(address + memorySize, pageSize),
    protection,
  });
}

/** PF_R 4 | PF_W 2 | PF_X 1 → PROT_READ 1 | PROT_WRITE 2 | PROT_EXEC 4. */
function mmapFlags(flags: number): number {
  return ((flags & 4) >> 2) | (flags & 2) | ((flags & 1) << 2);
}
