import { type Elf, loads, PT, readElf } from "../../src/desk/program/elf.ts";
import { BootError } from "../../src/problems/errors.ts";
import { alignUp, assemble, HEADER_SIZE, type Piece, READ, READ_EXECUTE, READ_WRITE, segment } from "./assemble.ts";
import { checkLibraries, endOfMemory, type NamedFile, programHeaderAddress, readProgram } from "./checks.ts";
import { configSize, encodeConfig, MAX_LIBRARIES, STRINGS_OFFSET } from "./config.ts";
import { type Renaming, renameLibraries } from "./rename.ts";
import type { Target } from "./targets.ts";

/** The parts of the packed file: the program, glibc's dynamic loader, and the program's libraries. */
export interface PackInput {
  readonly program: NamedFile;
  readonly loader: NamedFile;
  readonly libraries: readonly NamedFile[];
}

/** Links stage0 for these addresses; `linkStage0` except in tests. */
export type Linker = (target: Target, address: number, configAddress: number) => Uint8Array;

/** From the beginning of stage0 to its config, in bytes. */
export const STAGE0_ROOM = 0x10000;

/**
 * Makes one static ELF (no PT_INTERP, no PT_DYNAMIC) that starts in stage0 and becomes the program. The program's bytes, with
 * only the names of its libraries changed, are followed by stage0, its configuration, the libraries as plain bytes, and the loader
 * at a fixed address. The same input gives the same bytes. Throws BootError for unsupported input.
 */
export function pack(input: PackInput, link: Linker): Uint8Array {
  const { elf, target } = readProgram(input.program);
  checkLibraries(input.program.name, elf, target, input.loader, input.libraries);
  const libraries = input.libraries.filter((library) => elf.needed.includes(library.name));
  if (libraries.length > MAX_LIBRARIES) {
    throw new BootError(`${input.program.name} needs more than ${MAX_LIBRARIES} libraries`);
  }
  const loader = readElf(input.loader.bytes, input.loader.name);
  const renaming = rename(input.program, elf, libraries);

  // Everything new is after the program's memory, with an empty page in between.
  const { pageSize } = target;
  const headerCount = loads(elf).length + 3 + loads(loader).length + 1;
  const shelf = fillShelf(libraries, headerCount * HEADER_SIZE);
  const stage0Address = alignUp(endOfMemory(elf), pageSize) + pageSize;
  const configAddress = stage0Address + STAGE0_ROOM;
  const shelfAddress = alignUp(configAddress + configSize(libraries, renaming), pageSize);
  const loaderAddress = alignUp(shelfAddress + shelf.bytes.length, pageSize);

  const stage0 = readStage0(link(target, stage0Address, configAddress), stage0Address);
  const places = {
    entry: elf.entry,
    headers: programHeaderAddress(elf) ?? 0,
    headerCount: elf.programHeaders.length,
    loaderBase: loaderAddress,
    loaderEntry: loaderAddress + loader.entry,
  };
  const shelved = libraries.map((library, index) => ({
    ...library,
    address: shelfAddress + (shelf.offsets[index] ?? 0),
  }));
  const config = encodeConfig(configAddress, places, shelved, renaming);
  const pieces: Piece[] = [
    stage0.piece,
    { bytes: config, headers: [segment(PT.LOAD, config, configAddress, READ_WRITE, pageSize)] },
    { bytes: shelf.bytes, headers: [segment(PT.LOAD, shelf.bytes, shelfAddress, READ, pageSize)] },
    {
      bytes: input.loader.bytes,
      headers: loads(loader).map((load) => ({ ...load, address: load.address + loaderAddress })),
    },
  ];
  const program = input.program.bytes;
  const file = assemble({ program, elf, entry: stage0.entry, tableAddress: shelfAddress, pageSize, pieces });
  renaming.apply(file, configAddress + STRINGS_OFFSET);
  return file;
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

/** Concatenates the libraries, with room for the new program headers before them. */
function fillShelf(libraries: readonly NamedFile[], headerRoom: number): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  let size = headerRoom;
  for (const { bytes } of libraries) {
    offsets.push(alignUp(size, 64));
    size = alignUp(size, 64) + bytes.length;
  }
  const shelf = new Uint8Array(size);
  for (const [index, { bytes }] of libraries.entries()) shelf.set(bytes, offsets[index]);
  return { bytes: shelf, offsets };
}

function readStage0(bytes: Uint8Array, address: number): { piece: Piece; entry: number } {
  const elf = readElf(bytes, "stage0");
  const [first, ...others] = loads(elf);
  const isRight = first?.address === address && first.flags === READ_EXECUTE && first.memorySize === first.fileSize;
  if (first === undefined || others.length > 0 || !isRight || first.memorySize > STAGE0_ROOM) {
    throw new BootError("stage0 does not consist of one read-only segment");
  }
  const code = bytes.subarray(first.offset, first.offset + first.fileSize);
  return { piece: { bytes: code, headers: [{ ...first, offset: 0 }] }, entry: elf.entry };
}
