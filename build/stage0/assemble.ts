import { align } from "../../src/desk/archive/cpio.ts";
import { loads, type ProgramHeader, PT, readElf } from "../../src/desk/program/elf.ts";

/** Bytes that follow the program, and the headers that map them; offsets count from the first byte. */
export type Piece = Readonly<{ bytes: Uint8Array; headers: readonly ProgramHeader[] }>;

export const HEADER_SIZE = 56;
export const READ = 4;
export const READ_EXECUTE = 5;
export const READ_WRITE = 6;

/**
 * Appends the pieces to the program, each on its own page, and updates the ELF header (elf(5)). The piece at `tableAddress`
 * begins with room for the new program headers.
 */
export function assemble(
  program: Uint8Array,
  entry: number,
  tableAddress: number,
  pageSize: number,
  pieces: readonly Piece[],
): Uint8Array {
  const elf = readElf(program);
  const headers = loads(elf);
  const parts = [{ at: 0, bytes: program }];
  let end = program.length;
  for (const piece of pieces) {
    const at = align(end, pageSize);
    parts.push({ at, bytes: piece.bytes });
    headers.push(...piece.headers.map((header) => ({ ...header, offset: header.offset + at })));
    end = at + piece.bytes.length;
  }
  // Without this header the kernel makes the stack executable.
  const stack = elf.programHeaders.find((header) => header.type === PT.GNU_STACK);
  headers.push(stack ?? segment(PT.GNU_STACK, new Uint8Array(0), 0, READ_WRITE, 16));

  const file = Buffer.alloc(end);
  for (const { at, bytes } of parts) file.set(bytes, at);
  const tableOffset = headers.find((header) => header.address === tableAddress)?.offset ?? 0;
  for (const [index, header] of headers.entries()) writeHeader(file, tableOffset + index * HEADER_SIZE, header);
  // Elf64_Ehdr: e_entry, e_phoff, e_phnum.
  file.writeBigUInt64LE(BigInt(entry), 24);
  file.writeBigUInt64LE(BigInt(tableOffset), 32);
  file.writeUInt16LE(headers.length, 56);
  return file;
}

/** Returns the header that maps all of the bytes at `address`. */
export function segment(type: number, bytes: Uint8Array, address: number, flags: number, align: number): ProgramHeader {
  return { type, flags, offset: 0, address, fileSize: bytes.length, memorySize: bytes.length, align };
}

function writeHeader(file: Buffer, at: number, header: ProgramHeader): void {
  file.writeUInt32LE(header.type, at);
  file.writeUInt32LE(header.flags, at + 4);
  const { offset, address, fileSize, memorySize, align } = header;
  for (const [index, value] of [offset, address, address, fileSize, memorySize, align].entries()) {
    file.writeBigUInt64LE(BigInt(value), at + 8 + index * 8);
  }
}
