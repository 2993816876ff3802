import { DT, type Elf, fileOffset, readString } from "../../src/desk/program/elf.ts";

/** Decimal digits of a file descriptor, and a NUL. */
const ROOM_FOR_DIGITS = 20;
const DIRECTORY = "/proc/self/fd/";

/** A program's string table with new names for its libraries, and the changes that refer to them. */
export type Renaming = ReturnType<typeof renameLibraries>;

/**
 * Makes the program request `/proc/self/fd/N` instead of each of `libraries`: in DT_NEEDED, and in .gnu.version_r
 * (Elf64_Verneed.vn_file), as glibc's _dl_check_map_versions aborts if it finds no library of that name.
 */
export function renameLibraries(program: Uint8Array, elf: Elf, libraries: readonly string[]) {
  const table = find(elf, DT.STRTAB);
  const size = find(elf, DT.STRSZ);
  const tableOffset = fileOffset(elf.programHeaders, table.value);
  const strings = Buffer.alloc(size.value + libraries.length * (DIRECTORY.length + ROOM_FOR_DIGITS));
  strings.set(program.subarray(tableOffset, tableOffset + size.value));

  const names = new Map<string, number>();
  const digits = new Map<string, number>();
  let end = size.value;
  for (const library of libraries) {
    names.set(library, end);
    digits.set(library, end + strings.write(DIRECTORY, end));
    end += DIRECTORY.length + ROOM_FOR_DIGITS;
  }

  const newName = (oldName: number) => names.get(readString(strings, oldName)) ?? oldName;
  const needed = elf.dynamic.filter(({ tag }) => tag === DT.NEEDED);
  const words = [
    ...needed.map(({ offset, value }) => ({ offset, value: newName(value) })),
    { offset: size.offset, value: strings.length },
  ];
  const needs = readVersionNeeds(program, elf).map(({ offset, name }) => ({ offset, value: newName(name) }));
  const apply = (copy: Uint8Array, stringsAddress: number) => {
    const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
    for (const { offset, value } of needs) view.setUint32(offset, value, true);
    for (const { offset, value } of [...words, { offset: table.offset, value: stringsAddress }]) {
      view.setBigUint64(offset + 8, BigInt(value), true);
    }
  };
  return {
    /** The new .dynstr: the old one, followed by the new names without their last digits. */
    strings,
    /** By library name: the offset in `strings` where stage0 writes the digits. */
    digits,
    /** Changes a file that begins with the program, once the address of `strings` is known. */
    apply,
  };
}

function readVersionNeeds(program: Uint8Array, elf: Elf): { offset: number; name: number }[] {
  const first = elf.dynamic.find((entry) => entry.tag === DT.VERNEED);
  if (first === undefined) return [];
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const needs: { offset: number; name: number }[] = [];
  let at = fileOffset(elf.programHeaders, first.value);
  for (let rest = find(elf, DT.VERNEEDNUM).value; rest > 0; rest--) {
    if (view.getUint16(at, true) !== 1) throw new Error("its table of needed versions does not have version 1");
    needs.push({ offset: at + 4, name: view.getUint32(at + 4, true) });
    const next = view.getUint32(at + 12, true);
    if (next === 0 && rest > 1) throw new Error("its table of needed versions ends too early");
    at += next;
  }
  return needs;
}

function find(elf: Elf, tag: number): { value: number; offset: number } {
  const entry = elf.dynamic.find((candidate) => candidate.tag === tag);
  if (entry === undefined) throw new Error(`its dynamic section has no entry 0x${tag.toString(16)}`);
  return entry;
}
