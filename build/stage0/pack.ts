import { BootError } from "../../src/errors.ts";
import { type Elf, type ProgramHeader, PT, readElf } from "../elf.ts";
import { checkLibraries, endOfMemory, loads, type NamedFile, programHeaderAddress, readProgram } from "./checks.ts";
import { configSize, encodeConfig, MAX_LIBRARIES, STRINGS_OFFSET } from "./config.ts";
import { type Renaming, renameLibraries } from "./rename.ts";
import type { Target } from "./targets.ts";

/** What is made into one file: the program, glibc's dynamic loader, and every library that the program names. */
export interface PackInput {
  readonly program: NamedFile;
  readonly loader: NamedFile;
  readonly libraries: readonly NamedFile[];
}

/** Makes stage0 for these addresses; `linkStage0` outside of tests. */
export type Linker = (target: Target, address: number, configAddress: number) => Uint8Array;

/** Bytes that come behind the program's, and how the kernel maps them; the headers' offsets count from the first of them. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly headers: readonly ProgramHeader[];
}

const STAGE0_ROOM = 0x10000;
const HEADER_SIZE = 56;
const READ = 4;
const READ_WRITE = 6;
const READ_EXECUTE = 5;

/**
 * One static ELF (no PT_INTERP, no PT_DYNAMIC) that begins in stage0 and becomes the program. Behind the program's own
 * bytes, of which only the names of its libraries are changed, come stage0, what it must know, the libraries as plain
 * bytes, and the loader at a fixed address. The same input gives the same bytes. Throws BootError for what it does not understand.
 */
export function pack(input: PackInput, link: Linker): Uint8Array {
  const { elf, target } = readProgram(input.program);
  checkLibraries(input.program, elf, target, input.loader, input.libraries);
  const libraries = input.libraries.filter((library) => elf.needed.includes(library.name));
  if (libraries.length > MAX_LIBRARIES) throw new BootError(`${input.program.name} needs more than ${MAX_LIBRARIES} libraries`);
  const loader = readElf(input.loader.bytes, input.loader.name);
  const renaming = rename(input.program, elf, libraries);

  // All that is new lies behind the program's memory, with one empty page between them.
  const page = target.pageSize;
  const headerCount = loads(elf).length + 3 + loads(loader).length + 1;
  const shelf = fillShelf(libraries, headerCount * HEADER_SIZE);
  const stage0Address = alignUp(endOfMemory(elf), page) + page;
  const configAddress = stage0Address + STAGE0_ROOM;
  const shelfAddress = alignUp(configAddress + configSize(libraries, renaming), page);
  const loaderAddress = alignUp(shelfAddress + shelf.bytes.length, page);

  const places = {
    entry: elf.entry,
    headers: programHeaderAddress(elf) ?? 0,
    headerCount: elf.programHeaders.length,
    loaderBase: loaderAddress,
    loaderEntry: loaderAddress + loader.entry,
  };
  const config = encodeConfig(configAddress, places, libraries, (index) => shelfAddress + (shelf.offsets[index] ?? 0), renaming);
  const stage0 = readStage0(link(target, stage0Address, configAddress), stage0Address);
  const program = input.program.bytes.slice();
  renaming.apply(program, configAddress + STRINGS_OFFSET);
  return assemble(program, elf, stage0.entry, shelfAddress, page, [
    stage0.piece,
    { bytes: config, headers: [wholeSegment(config, configAddress, READ_WRITE, page)] },
    { bytes: shelf.bytes, headers: [wholeSegment(shelf.bytes, shelfAddress, READ, page)] },
    { bytes: input.loader.bytes, headers: loads(loader).map((load) => ({ ...load, address: load.address + loaderAddress })) },
  ]);
}

function rename(program: NamedFile, elf: Elf, libraries: readonly NamedFile[]): Renaming {
  try {
    return renameLibraries(program.bytes, elf, libraries.map((library) => library.name));
  } catch (cause) {
    const reason = cause instanceof RangeError ? "its table of needed versions ends behind the file" : (cause as Error).message;
    throw new BootError(`${program.name} cannot be packed: ${reason}`, { cause });
  }
}

/** The libraries one behind another, with room for the new program headers before them. */
function fillShelf(libraries: readonly NamedFile[], headerRoom: number): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  let size = headerRoom;
  for (const { bytes } of libraries) {
    offsets.push(alignUp(size, 64));
    size = alignUp(size, 64) + bytes.length;
  }
  const bytes = new Uint8Array(size);
  libraries.forEach((library, index) => bytes.set(library.bytes, offsets[index]));
  return { bytes, offsets };
}

function readStage0(bytes: Uint8Array, address: number): { piece: Piece; entry: number } {
  const elf = readElf(bytes, "stage0");
  const [segment, ...others] = loads(elf);
  const fits = segment?.address === address && segment.memorySize <= STAGE0_ROOM && segment.memorySize === segment.fileSize;
  if (segment === undefined || others.length > 0 || !fits || segment.flags !== READ_EXECUTE) {
    throw new BootError("stage0 was not linked to the one read-only segment that the packer needs");
  }
  const piece = { bytes: bytes.subarray(segment.offset, segment.offset + segment.fileSize), headers: [{ ...segment, offset: 0 }] };
  return { piece, entry: elf.entry };
}

function wholeSegment(bytes: Uint8Array, address: number, flags: number, page: number): ProgramHeader {
  return { type: PT.LOAD, flags, offset: 0, address, fileSize: bytes.length, memorySize: bytes.length, align: page };
}

/** Puts the pieces behind the program, each on a page of its own, and the new program headers at `tableAddress`. */
function assemble(program: Uint8Array, elf: Elf, entry: number, tableAddress: number, page: number, pieces: readonly Piece[]): Uint8Array {
  const headers = loads(elf);
  const parts: { at: number; bytes: Uint8Array }[] = [{ at: 0, bytes: program }];
  let end = program.length;
  for (const piece of pieces) {
    const at = alignUp(end, page);
    parts.push({ at, bytes: piece.bytes });
    headers.push(...piece.headers.map((header) => ({ ...header, offset: header.offset + at })));
    end = at + piece.bytes.length;
  }
  const stack = elf.programHeaders.find((header) => header.type === PT.GNU_STACK);
  headers.push(stack ?? { type: PT.GNU_STACK, flags: READ_WRITE, offset: 0, address: 0, fileSize: 0, memorySize: 0, align: 16 });

  const file = Buffer.alloc(end);
  for (const { at, bytes } of parts) file.set(bytes, at);
  const tableOffset = headers.find((header) => header.address === tableAddress)?.offset ?? 0;
  headers.forEach((header, index) => writeHeader(file, tableOffset + index * HEADER_SIZE, header));
  // elf(5), Elf64_Ehdr: e_entry, e_phoff, e_phnum.
  file.writeBigUInt64LE(BigInt(entry), 24);
  file.writeBigUInt64LE(BigInt(tableOffset), 32);
  file.writeUInt16LE(headers.length, 56);
  return file;
}

function writeHeader(file: Buffer, at: number, header: ProgramHeader): void {
  file.writeUInt32LE(header.type, at);
  file.writeUInt32LE(header.flags, at + 4);
  const { offset, address, fileSize, memorySize, align } = header;
  [offset, address, address, fileSize, memorySize, align].forEach((value, index) => {
    file.writeBigUInt64LE(BigInt(value), at + 8 + index * 8);
  });
}

function alignUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
