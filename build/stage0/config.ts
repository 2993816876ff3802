import { CONFIG_MAGIC } from "../../src/desk/program/elf.ts";
import type { NamedFile } from "./checks.ts";
import type { Renaming } from "./rename.ts";

/** As in stage0.h. */
export const MAX_LIBRARIES = 8;
const LIBRARY_SIZE = 4 * 8;
const CONFIG_SIZE = CONFIG_MAGIC.length + 6 * 8 + MAX_LIBRARIES * LIBRARY_SIZE;

/** Addresses that stage0 passes to the dynamic loader. */
type ProgramPlaces = Readonly<Record<"entry" | "headers" | "headerCount" | "loaderBase" | "loaderEntry", number>>;

/** The offset of the program's new string table in the result of `encodeConfig`. */
export const STRINGS_OFFSET = CONFIG_SIZE;

/** Returns how many bytes `encodeConfig` returns. */
export function configSize(libraries: readonly NamedFile[], renaming: Renaming): number {
  return CONFIG_SIZE + renaming.strings.length + libraries.reduce((sum, { name }) => sum + name.length + 1, 0);
}

/** A library, and the address of its bytes in memory. */
export interface ShelvedLibrary extends NamedFile {
  readonly address: number;
}

/** Encodes stage0's `struct config` (stage0.h) for `address`, followed by the program's new string table and the libraries' names. */
export function encodeConfig(
  address: number,
  program: ProgramPlaces,
  libraries: readonly ShelvedLibrary[],
  renaming: Renaming,
): Uint8Array {
  const bytes = Buffer.alloc(configSize(libraries, renaming));
  let at = bytes.write(CONFIG_MAGIC, "latin1");
  const putWord = (value: number) => {
    at = bytes.writeBigUInt64LE(BigInt(value), at);
  };
  for (const value of [program.entry, program.headers, program.headerCount]) putWord(value);
  for (const value of [program.loaderBase, program.loaderEntry, libraries.length]) putWord(value);

  bytes.set(renaming.strings, STRINGS_OFFSET);
  let name = STRINGS_OFFSET + renaming.strings.length;
  for (const library of libraries) {
    const digits = renaming.digits.get(library.name) ?? 0;
    for (const value of [address + name, library.address, library.bytes.length]) putWord(value);
    putWord(address + STRINGS_OFFSET + digits);
    name += bytes.write(`${library.name}\0`, name, "latin1");
  }
  return bytes;
}
