import { align } from "../../../src/desk/archive/cpio.ts";
import { type Elf, loads } from "../../../src/desk/program/elf.ts";
import { BootError } from "../../../src/problems/errors.ts";

/** What userfaultfd and mmap work with on x86-64. */
export const PAGE = 4096;

/** A segment with its ends moved to pages; a `struct region` of pager.h. From `fileEnd` on its memory is zero. */
export type Region = Readonly<{ address: number; fileEnd: number; memoryEnd: number; protection: number }>;

/** The memory of a program right after it is loaded. Pages are numbered from address 0. */
export type ProgramMemory = ReturnType<typeof createMemory>;

/** Reads the program as the kernel would map it, with zeros where a page is not filled by its segment. Throws BootError. */
export function createMemory(program: Uint8Array, elf: Elf) {
  const segments = loads(elf);
  const regions = segments.map((load): Region => {
    const address = load.address - (load.address % PAGE);
    const fileEnd = align(load.address + load.fileSize, PAGE);
    return {
      address,
      fileEnd,
      memoryEnd: align(load.address + load.memorySize, PAGE),
      protection: mmapFlags(load.flags),
    };
  });
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
      for (const { address, offset, fileSize } of segments) {
        const from = Math.max(start, address);
        const to = Math.min(start + bytes.length, address + fileSize);
        if (from < to) bytes.set(program.subarray(offset + from - address, offset + to - address), from - start);
      }
      return bytes;
    },
  };
}

/** PF_R 4 | PF_W 2 | PF_X 1 → PROT_READ 1 | PROT_WRITE 2 | PROT_EXEC 4. */
function mmapFlags(flags: number): number {
  return ((flags & 4) >> 2) | (flags & 2) | ((flags & 1) << 2);
}
