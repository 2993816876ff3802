import { CONFIG_MAGIC } from "../../src/desk/program/elf.ts";
import type { NamedFile } from "./checks.ts";
import type { Renaming } from "./rename.ts";

/** As in stage0.h. */
export const MAX_LIBRARIES = 8;
const LIBRARY_SIZE = 4 * 8;
const CONFIG_SIZE = CONFIG_MAGIC.length + 6 * 8 + MAX_LIBRARIES * LIBRARY_SIZE;

/** The offset of the program's new string table in the result of `encodeConfig`. */
export const STRINGS_OFFSET = CONFIG_SIZE;

/** Returns how many bytes `encodeConfig` returns. */
export function configSize(libraries: readonly NamedFile[], renaming: Renaming): number {
  return CONFIG_SIZE + renaming.strings.length + libraries.reduce((sum, { name }) => sum + name.length + 1, 0);
}

/**
 * Encodes stage0's `struct config` (stage0.h) for `address`, followed by the program's new string table and the libraries'
 * names. `places` are its fields from `program_entry` to `loader_entry`; a library's `address` is that of its bytes.
 */
export function encodeConfig(
  address: number,
  places: readonly number[],
  libraries: readonly (NamedFile & { readonly address: number })[],
  renaming: Renaming,
): Uint8Array {
  const bytes = Buffer.alloc(configSize(libraries, renaming));
  let at = bytes.write(CONFIG_MAGIC, "latin1");
  const putWord = (value: number) => {
    at = bytes.writeBigUInt64LE(BigInt(value), at);
  };
  for (const value of [...places, libraries.length]) putWord(value);

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
