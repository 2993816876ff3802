import { holds, le16 } from "../../formats/bytes.ts";
import { BootError } from "../../problems/errors.ts";

/** An entry of the program header table (elf(5), Elf64_Phdr), in bytes and addresses. */
export type ProgramHeader = ReturnType<typeof readProgramHeaders>[number];
/** The headers of an ELF file. */
export type Elf = ReturnType<typeof readElfUnnamed>;
type DynamicEntry = ReturnType<typeof readDynamic>[number];

/** Program header types of elf.h. */
export const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, PHDR: 6, TLS: 7, GNU_STACK: 0x6474e551 } as const;
/** Dynamic tags of elf.h. */
export const DT = {
  NULL: 0,
  NEEDED: 1,
  STRTAB: 5,
  STRSZ: 10,
  SONAME: 14,
  RPATH: 15,
  RUNPATH: 29,
  VERNEED: 0x6ffffffe,
  VERNEEDNUM: 0x6fffffff,
} as const;
/** Machine numbers of elf.h. */
export const EM = { I386: 3, ARM: 40, X86_64: 62, AARCH64: 183 } as const;

/** Returns what `uname -m` prints on a machine of this number. */
export function nameMachine(machine: number): string {
  const known = Object.entries(EM).find(([, number]) => number === machine);
  return known?.[0].toLowerCase() ?? `machine ${machine}`;
}

const TYPES = ["relocatable", "executable", "shared", "core"] as const;

/** Returns whether the bytes begin with the magic number of ELF. */
export function isElf(bytes: Uint8Array): boolean {
  return holds(bytes, 0, "\x7fELF");
}

/** Parses a little-endian ELF file of 32 or 64 bits. Throws a BootError about `name` if it is malformed. */
export function readElf(bytes: Uint8Array, name = "the file"): Elf {
  try {
    return readElfUnnamed(bytes);
  } catch (error) {
    const reason = error instanceof RangeError ? "its tables end after the file" : (error as Error).message;
    throw new BootError(`${name} is not a supported ELF file: ${reason}`);
  }
}

/** The size of the header of a 64-bit ELF file (Elf64_Ehdr). */
export const ELF_HEAD_SIZE = 64;

/** Returns e_machine from the header of an ELF file. Throws a BootError about `name` if it is malformed. */
export function readMachine(head: Uint8Array, name: string): number {
  if (isElf(head) && head.length >= ELF_HEAD_SIZE) return le16(head, 18);
  throw new BootError(`${name} is not a supported ELF file: it does not begin with the ELF magic number`);
}

function readElfUnnamed(bytes: Uint8Array) {
  if (!isElf(bytes)) throw new Error("it does not begin with the ELF magic number");
  if (bytes[4] !== 1 && bytes[4] !== 2) throw new Error(`its class is ${bytes[4]}, neither 32 nor 64 bits`);
  if (bytes[5] !== 1) throw new Error("it is not little-endian");
  const wide = bytes[4] === 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = TYPES[view.getUint16(16, true) - 1];
  if (type === undefined) throw new Error(`its type ${view.getUint16(16, true)} is unknown`);

  const programHeaderOffset = readWord(view, wide ? 32 : 28, wide);
  const programHeaders = readProgramHeaders(view, wide, programHeaderOffset);
  const dynamic = readDynamic(view, wide, programHeaders);
  const strings = findStrings(bytes, programHeaders, dynamic);
  const named = (tag: number) =>
    dynamic.filter((entry) => entry.tag === tag).map((entry) => readString(strings, entry.value));
  const interpreter = programHeaders.find((header) => header.type === PT.INTERP);
  return {
    class: wide ? (64 as const) : (32 as const),
    /** e_machine, see `EM`. */
    machine: view.getUint16(18, true),
    type,
    entry: readWord(view, 24, wide),
    programHeaderOffset,
    programHeaders,
    /** PT_INTERP, the loader; null for static programs and most libraries. */
    interpreter: interpreter ? readString(slice(bytes, interpreter.offset, interpreter.fileSize), 0) : null,
    dynamic,
    needed: named(DT.NEEDED),
    soname: named(DT.SONAME)[0] ?? null,
    /** Directories that are searched first for libraries, with `$ORIGIN` not replaced. */
    searchPath: (named(DT.RUNPATH)[0] ?? named(DT.RPATH)[0] ?? "").split(":").filter((directory) => directory !== ""),
  };
}

function readProgramHeaders(view: DataView, wide: boolean, tableOffset: number) {
  const size = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  if (count > 0 && size !== (wide ? 56 : 32)) throw new Error(`its program headers are ${size} bytes long`);
  return Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * size;
    const word = (wideOffset: number, narrowOffset: number) =>
      readWord(view, at + (wide ? wideOffset : narrowOffset), wide);
    return {
      type: view.getUint32(at, true),
      /** PF_R 4 | PF_W 2 | PF_X 1. */
      flags: view.getUint32(at + (wide ? 4 : 24), true),
      offset: word(8, 4),
      address: word(16, 8),
      fileSize: word(32, 16),
      memorySize: word(40, 20),
      align: word(48, 28),
    };
  });
}

/** Returns the entries of the dynamic section, with their offsets in the file. */
function readDynamic(view: DataView, wide: boolean, headers: readonly ProgramHeader[]) {
  const header = headers.find((candidate) => candidate.type === PT.DYNAMIC);
  const entries: { readonly tag: number; readonly value: number; readonly offset: number }[] = [];
  if (header === undefined) return entries;
  const size = wide ? 16 : 8;
  for (let offset = header.offset; offset + size <= header.offset + header.fileSize; offset += size) {
    const tag = readWord(view, offset, wide);
    if (tag === DT.NULL) return entries;
    entries.push({ tag, value: readWord(view, offset + size / 2, wide), offset });
  }
  throw new Error("its dynamic section has no end");
}

function findStrings(
  bytes: Uint8Array,
  headers: readonly ProgramHeader[],
  dynamic: readonly DynamicEntry[],
): Uint8Array {
  const table = dynamic.find((entry) => entry.tag === DT.STRTAB);
  const size = dynamic.find((entry) => entry.tag === DT.STRSZ);
  if (table === undefined || size === undefined) {
    if (dynamic.length > 0) throw new Error("its dynamic section has no string table (DT_STRTAB, DT_STRSZ)");
    return new Uint8Array(0);
  }
  return slice(bytes, fileOffset(headers, table.value), size.value);
}

/** Returns the segments that are loaded, in the order of the file. */
export function loads(elf: Elf): ProgramHeader[] {
  return elf.programHeaders.filter((header) => header.type === PT.LOAD);
}

/** The first bytes of what the packer adds; struct config of build/stage0/stage0.h. */
export const CONFIG_MAGIC = "levain0\0";

/** Returns whether a program was made by the packer (build/stage0), as levain is. */
export function isPacked(bytes: Uint8Array, elf: Elf): boolean {
  return loads(elf).some((load) => holds(bytes, load.offset, CONFIG_MAGIC));
}

/** The first bytes of the compressed runtime; struct store of build/stage0/store.h. */
export const STORE_MAGIC = "levain2p";

/** Returns whether a packed program has its runtime in compressed groups of pages, as the /init of most images has. */
export function isPaged(bytes: Uint8Array, elf: Elf): boolean {
  return loads(elf).some((load) => holds(bytes, load.offset, STORE_MAGIC));
}

/** Returns the offset in the file of the byte at `address`. Throws if no PT_LOAD segment contains it. */
export function fileOffset(headers: readonly ProgramHeader[], address: number): number {
  const load = headers.find((h) => h.type === PT.LOAD && h.address <= address && address < h.address + h.fileSize);
  if (load === undefined) throw new Error(`no segment contains the address 0x${address.toString(16)}`);
  return address - load.address + load.offset;
}

/** Returns the NUL-terminated string at `offset` of a string table. Throws if it does not end. */
export function readString(table: Uint8Array, offset: number): string {
  const end = table.indexOf(0, offset);
  if (offset < 0 || offset >= table.length || end < 0) throw new Error("a name lies outside its string table");
  return Buffer.from(table.subarray(offset, end)).toString("utf8");
}

function slice(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset + length > bytes.length) throw new RangeError("beyond the end");
  return bytes.subarray(offset, offset + length);
}

/** Numbers beyond 2^53 lose their last bits, which does not matter: no file is that large. */
function readWord(view: DataView, offset: number, wide: boolean): number {
  return wide ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true);
}
