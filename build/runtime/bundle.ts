import { basename } from "node:path";
import { type Elf, loads } from "../../src/desk/program/elf.ts";
import { BootError } from "../../src/problems/errors.ts";

/** A place in the memory of a program; `end` is the first byte behind it. */
export type Place = Readonly<{ start: number; end: number }>;

/** The module that src/main.ts imports for a boot; its other dynamic imports are for commands and other processes. */
export const BOOT_MODULE = "src/boot/start";

const TRAILER = "\n---- Bun! ----\n";
/** The part of Bun's `Offsets` before the trailer: the size of the bundle (u64), place and size of the table of modules, and the number of the first module (u32). */
const OFFSETS_SIZE = 32;
/** A row of the table: place and size of name, content, source map, bytecode, and more. */
const ROW_SIZE = 52;
const NAME = 0;
const CONTENT = 8;
const BYTECODE = 24;
const NAME_PREFIX = "/$bunfs/root/";
/** Not the call import("…"). */
const STATIC_IMPORT = /\b(?:from|import)"\/\$bunfs\/root\/([^"]+)"/g;

interface Module {
  readonly bytecode: Place;
  /** Names of the modules that are loaded with it. */
  readonly imports: readonly string[];
}

/** Where the bytecode of modules is in memory, by file name. */
interface Bytecode {
  /** Of the modules that a boot loads. */
  readonly boot: ReadonlyMap<string, Place>;
  readonly others: ReadonlyMap<string, Place>;
}

/** Finds the bytecode of the bundle. The format is Bun's own (StandaloneModuleGraph): throws BootError if it is not as expected. */
export function findBytecode(program: Buffer, elf: Elf): Bytecode {
  const { modules, first } = readModules(program, elf);
  const found = new Map<string, Place>();
  const load = (name: string) => {
    const module = modules.get(name);
    if (module === undefined || found.has(name)) return;
    found.set(name, module.bytecode);
    for (const other of module.imports) load(other);
  };
  const boot = [...modules.keys()].find((name) => name.startsWith(`${basename(BOOT_MODULE)}-`));
  for (const name of [first, boot]) if (name !== undefined) load(name);
  if (found.size === 0) throw refuse("it has no bytecode");
  const others = [...modules].filter(([name]) => !found.has(name));
  return { boot: found, others: new Map(others.map(([name, { bytecode }]) => [name, bytecode])) };
}

function readModules(program: Buffer, elf: Elf): { modules: ReadonlyMap<string, Module>; first: string | undefined } {
  const trailer = program.lastIndexOf(TRAILER);
  const load = loads(elf).findLast(({ offset, fileSize }) => offset <= trailer && trailer < offset + fileSize);
  if (trailer < OFFSETS_SIZE || load === undefined) throw refuse("it has no end");
  const size = Number(program.readBigUInt64LE(trailer - OFFSETS_SIZE));
  const start = trailer - OFFSETS_SIZE - size;
  const [tableAt, tableSize] = readPlace(program, trailer - OFFSETS_SIZE + 8);
  if (start < load.offset || tableAt + tableSize > size || tableSize % ROW_SIZE !== 0)
    throw refuse("its table is invalid");
  const modules = new Map<string, Module>();
  let first: string | undefined;
  const firstRow = program.readUInt32LE(trailer - OFFSETS_SIZE + 16) * ROW_SIZE;
  for (let row = 0; row < tableSize; row += ROW_SIZE) {
    const [name = "", content = ""] = [NAME, CONTENT].map((field) => {
      const [at, length] = readPlace(program, start + tableAt + row + field);
      return program.toString("latin1", start + at, start + at + length);
    });
    const [codeAt, codeSize] = readPlace(program, start + tableAt + row + BYTECODE);
    if (!name.startsWith(NAME_PREFIX) || codeAt + codeSize > size) throw refuse(`its module "${name}" is invalid`);
    const address = start + codeAt - load.offset + load.address;
    const short = name.slice(NAME_PREFIX.length);
    if (row === firstRow) first = short;
    if (codeSize === 0) continue;
    const imports = [...content.matchAll(STATIC_IMPORT)].map(([, imported = ""]) => imported);
    modules.set(short, { bytecode: { start: address, end: address + codeSize }, imports });
  }
  return { modules, first };
}

function readPlace(program: Buffer, at: number): readonly [number, number] {
  return [program.readUInt32LE(at), program.readUInt32LE(at + 4)];
}

function refuse(why: string): BootError {
  return new BootError(`the bundle in the program is not as expected: ${why}`, {
    hint: "a new version of Bun: compare with its StandaloneModuleGraph, then change build/runtime/bundle.ts",
  });
}
