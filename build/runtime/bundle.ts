import { type Elf, loads } from "../../src/desk/program/elf.ts";
import { BootError } from "../../src/problems/errors.ts";

/** A place in the memory of a program; `end` is the first byte behind it. */
export type Place = Readonly<{ start: number; end: number }>;

/** The parts of the bundle that a boot does not load: src/main.ts imports src/desk/cli.ts when it is a command, and src/network/fetch/serve.ts when it downloads. */
export const OTHER_CHUNKS = /^(?:cli|serve)-/;

const TRAILER = "\n---- Bun! ----\n";
/** The part of Bun's `Offsets` before the trailer: the size of the bundle (u64), and place and size of the table of modules (u32). */
const OFFSETS_SIZE = 32;
/** A row of the table: place and size of name, content, source map, bytecode, and more. */
const ROW_SIZE = 52;
const NAME = 0;
const BYTECODE = 24;
const NAME_PREFIX = "/$bunfs/root/";

/**
 * Returns where the bytecode of the bundle's modules is in memory, by file name. The format is Bun's own (StandaloneModuleGraph): throws
 * BootError if it is not as expected.
 */
export function findBytecode(program: Buffer, elf: Elf): ReadonlyMap<string, Place> {
  const trailer = program.lastIndexOf(TRAILER);
  const load = loads(elf).findLast(({ offset, fileSize }) => offset <= trailer && trailer < offset + fileSize);
  if (trailer < OFFSETS_SIZE || load === undefined) throw refuse("it has no end");
  const size = Number(program.readBigUInt64LE(trailer - OFFSETS_SIZE));
  const start = trailer - OFFSETS_SIZE - size;
  const [tableAt, tableSize] = readPlace(program, trailer - OFFSETS_SIZE + 8);
  if (start < load.offset || tableAt + tableSize > size || tableSize % ROW_SIZE !== 0)
    throw refuse("its table is invalid");
  const found = new Map<string, Place>();
  for (let row = start + tableAt; row < start + tableAt + tableSize; row += ROW_SIZE) {
    const [nameAt, nameSize] = readPlace(program, row + NAME);
    const [codeAt, codeSize] = readPlace(program, row + BYTECODE);
    const name = program.toString("latin1", start + nameAt, start + nameAt + nameSize);
    if (!name.startsWith(NAME_PREFIX) || codeAt + codeSize > size) throw refuse(`its module "${name}" is invalid`);
    const address = start + codeAt - load.offset + load.address;
    if (codeSize > 0) found.set(name.slice(NAME_PREFIX.length), { start: address, end: address + codeSize });
  }
  if (found.size === 0) throw refuse("it has no bytecode");
  return found;
}

function readPlace(program: Buffer, at: number): readonly [number, number] {
  return [program.readUInt32LE(at), program.readUInt32LE(at + 4)];
}

function refuse(why: string): BootError {
  return new BootError(`the bundle in the program is not as expected: ${why}`, {
    hint: "a new version of Bun: compare with its StandaloneModuleGraph, then change build/runtime/bundle.ts",
  });
}
