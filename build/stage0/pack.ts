import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { align } from "../../src/desk/archive/cpio.ts";
import { type Elf, loads, PT, readElf } from "../../src/desk/program/elf.ts";
import { findLibraries } from "../../src/desk/program/libraries.ts";
import { BootError } from "../../src/problems/errors.ts";
import { assemble, HEADER_SIZE, type Piece, READ, READ_EXECUTE, READ_WRITE, segment } from "./assemble.ts";
import {
  checkLibraries,
  endOfMemory,
  type NamedFile,
  type Parts,
  programHeaderAddress,
  readProgram,
} from "./checks.ts";
import { configSize, encodeConfig, MAX_LIBRARIES, STRINGS_OFFSET } from "./config.ts";
import { linkStage0 } from "./link.ts";
import { type Renaming, renameLibraries } from "./rename.ts";

/** From the beginning of stage0 to its config, in bytes. */
export const STAGE0_ROOM = 0x10000;

/** Packs the executable at `path` with this host's loader and libraries into one static file. Throws BootError. */
export function packFile(path: string): Uint8Array {
  const readFile = (file: string) => ({ name: basename(file), bytes: readFileSync(file) });
  const program = readFile(path);
  const found = findLibraries(path, readElf(program.bytes, path));
  const [loader, ...libraries] = found.map(({ hostPath }) => readFile(hostPath));
  // Without a loader it is static, which pack() refuses.
  return pack({ program, loader: loader ?? { name: "", bytes: new Uint8Array(0) }, libraries });
}

/**
 * Makes one static ELF (no PT_INTERP, no PT_DYNAMIC) that starts in stage0 and becomes the program. The program's bytes, with
 * only the names of its libraries changed, are followed by stage0, its configuration, the libraries as plain bytes, and the loader
 * at a fixed address. The same input gives the same bytes. Throws BootError for unsupported input.
 */
export function pack(input: Parts, link: typeof linkStage0 = linkStage0): Uint8Array {
  const { elf, target } = readProgram(input.program);
  checkLibraries(input, elf, target);
  const libraries = input.libraries.filter((library) => elf.needed.includes(library.name));
  if (libraries.length > MAX_LIBRARIES) {
    throw new BootError(`${input.program.name} needs more than ${MAX_LIBRARIES} libraries`);
  }
  const loader = readElf(input.loader.bytes, input.loader.name);
  const renaming = rename(input.program, elf, libraries);

  // Everything new is after the program's memory, with an empty page in between.
  const { pageSize } = target;
  const headerCount = loads(elf).length + 3 + loads(loader).length + 1;
  const stage0Address = align(endOfMemory(elf), pageSize) + pageSize;
  const configAddress = stage0Address + STAGE0_ROOM;
  const shelfAddress = align(configAddress + configSize(libraries, renaming), pageSize);
  const { shelf, shelved } = fillShelf(libraries, headerCount * HEADER_SIZE, shelfAddress);
  const loaderAddress = align(shelfAddress + shelf.length, pageSize);

  const stage0 = readStage0(link(target, stage0Address, configAddress), stage0Address);
  const headers = [programHeaderAddress(elf) ?? 0, elf.programHeaders.length];
  const places = [elf.entry, ...headers, loaderAddress, loaderAddress + loader.entry];
  const config = encodeConfig(configAddress, places, shelved, renaming);
  const pieces: Piece[] = [
    stage0.piece,
    { bytes: config, headers: [segment(PT.LOAD, config, configAddress, READ_WRITE, pageSize)] },
    { bytes: shelf, headers: [segment(PT.LOAD, shelf, shelfAddress, READ, pageSize)] },
    {
      bytes: input.loader.bytes,
      headers: loads(loader).map((load) => ({ ...load, address: load.address + loaderAddress })),
    },
  ];
  const file = assemble(input.program.bytes, stage0.entry, shelfAddress, pageSize, pieces);
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

/** Concatenates the libraries at `address`, with room for the new program headers before them. */
function fillShelf(libraries: readonly NamedFile[], headerRoom: number, address: number) {
  let end = address + headerRoom;
  const shelved = libraries.map((library) => {
    const start = align(end, 64);
    end = start + library.bytes.length;
    return { ...library, address: start };
  });
  const shelf = new Uint8Array(end - address);
  for (const library of shelved) shelf.set(library.bytes, library.address - address);
  return { shelf, shelved };
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
