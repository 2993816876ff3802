import { align } from "../../src/desk/archive/cpio.ts";
import { type Elf, loads, type ProgramHeader, PT, readElf } from "../../src/desk/program/elf.ts";
import { BootError } from "../../src/problems/errors.ts";
import { HEADER_SIZE, type Piece, READ, READ_EXECUTE, READ_WRITE, segment } from "./assemble.ts";
import {
  checkLibraries,
  endOfMemory,
  type NamedFile,
  type Parts,
  programHeaderAddress,
  readProgram,
} from "./checks.ts";
import { configSize, encodeConfig, MAX_LIBRARIES, STRINGS_OFFSET } from "./config.ts";
import { type Renaming, renameLibraries } from "./rename.ts";

/** What a packed file has at which address, after the program's memory and an empty page: the libraries, stage0 in `room` bytes, `pieces`. */
export function layOut(input: Parts, room: number) {
  const { elf, target } = readProgram(input.program);
  checkLibraries(input, elf, target);
  const libraries = input.libraries.filter((library) => elf.needed.includes(library.name));
  if (libraries.length > MAX_LIBRARIES) {
    throw new BootError(`${input.program.name} needs more than ${MAX_LIBRARIES} libraries`);
  }
  const loader = readElf(input.loader.bytes, input.loader.name);
  const renaming = rename(input.program, elf, libraries);

  const { pageSize } = target;
  const headerCount = loads(elf).length + 4 + loads(loader).length + 1;
  const { shelf, shelved } = fillShelf(libraries, align(endOfMemory(elf), pageSize) + pageSize, pageSize);
  const stage0Address = align(shelf.address + shelf.bytes.length, pageSize) + pageSize;
  const configAddress = stage0Address + room;
  const table = new Uint8Array(headerCount * HEADER_SIZE);
  const tableAddress = align(configAddress + configSize(libraries, renaming), pageSize);
  const loaderAddress = align(tableAddress + table.length, pageSize);

  const headers = [programHeaderAddress(elf) ?? 0, elf.programHeaders.length];
  const places = [elf.entry, ...headers, loaderAddress, loaderAddress + loader.entry];
  const config = encodeConfig(configAddress, places, shelved, renaming);
  const pieces: Piece[] = [
    { bytes: config, headers: [segment(PT.LOAD, config, configAddress, READ_WRITE, pageSize)] },
    { bytes: table, headers: [segment(PT.LOAD, table, tableAddress, READ, pageSize)] },
    {
      bytes: withZeroEnd(input.loader.bytes, loads(loader), pageSize),
      headers: loads(loader).map((load) => ({ ...load, address: load.address + loaderAddress })),
    },
  ];
  return {
    ...{ elf, target, stage0Address, configAddress, tableAddress, pieces },
    /** The libraries, one after the other, each from a page on, and where stage0 expects them. */
    shelf,
    shelved,
    /** The first address that is free. */
    endAddress: align(loaderAddress + endOfMemory(loader), pageSize),
    /** Changes the names of the libraries in a file that begins with the program. */
    rename: (file: Uint8Array) => renaming.apply(file, configAddress + STRINGS_OFFSET),
    /** Reads what `linkStage0` made for these addresses. Throws BootError if it does not fit. */
    readStage0: (bytes: Uint8Array) => readStage0(bytes, stage0Address, room),
  };
}

function rename(program: NamedFile, elf: Elf, libraries: readonly NamedFile[]): Renaming {
  try {
    const names = libraries.map((library) => library.name);
    return renameLibraries(program.bytes, elf, names);
  } catch (cause) {
    const reason = cause instanceof RangeError ? "its version table ends after the file" : (cause as Error).message;
    throw new BootError(`${program.name} cannot be packed: ${reason}`, { cause });
  }
}

function fillShelf(libraries: readonly NamedFile[], address: number, pageSize: number) {
  let end = address;
  const shelved = libraries.map((library) => {
    const start = align(end, pageSize);
    end = start + library.bytes.length;
    return { ...library, address: start };
  });
  const bytes = new Uint8Array(end - address);
  for (const library of shelved) bytes.set(library.bytes, library.address - address);
  return { shelf: { address, bytes }, shelved };
}

function readStage0(bytes: Uint8Array, address: number, room: number): { piece: Piece; entry: number } {
  const elf = readElf(bytes, "stage0");
  const [first, ...others] = loads(elf);
  const isRight = first?.address === address && first.flags === READ_EXECUTE && first.memorySize === first.fileSize;
  if (first === undefined || others.length > 0 || !isRight || first.memorySize > room) {
    throw new BootError("stage0 does not consist of one read-only segment");
  }
  const code = bytes.subarray(first.offset, first.offset + first.fileSize);
  return { piece: { bytes: code, headers: [{ ...first, offset: 0 }] }, entry: elf.entry };
}

/**
 * Returns the dynamic loader's file with zeros behind its variables. Until their page ends it is the loader's first heap, which it
 * takes for zero; Linux 5.10 clears only what `p_memsz` has, if another segment follows.
 */
function withZeroEnd(file: Uint8Array, segments: readonly ProgramHeader[], pageSize: number): Uint8Array {
  const end = Math.max(...segments.map(({ offset, fileSize }) => offset + fileSize));
  // A copy: slice() of a Buffer would be the same memory.
  return new Uint8Array(file).fill(0, end, align(end, pageSize));
}
