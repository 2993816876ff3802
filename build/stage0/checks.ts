import { DT, type Elf, isPacked, loads, PT, readElf } from "../../src/desk/program/elf.ts";
import { BootError } from "../../src/problems/errors.ts";
import { TARGETS, type Target } from "./link.ts";

/** A file and its name in messages and DT_NEEDED. */
export type NamedFile = Readonly<{ name: string; bytes: Uint8Array }>;

/** The parts of the packed file; the loader is glibc's. */
export type Parts = Readonly<{ program: NamedFile; loader: NamedFile; libraries: readonly NamedFile[] }>;

const KNOWN_HEADERS: ReadonlySet<number> = new Set([
  ...Object.values(PT),
  4, // PT_NOTE
  0x6474e550, // PT_GNU_EH_FRAME
  0x6474e552, // PT_GNU_RELRO
  0x6474e553, // PT_GNU_PROPERTY
]);

/** Reads the program to pack. Throws BootError if it is not a dynamically linked, non-PIE executable for a known machine. */
export function readProgram(file: NamedFile): { elf: Elf; target: Target } {
  const elf = readElf(file.bytes, file.name);
  const refuse: Refuse = refuser(file.name);
  const target = TARGETS.find((candidate) => candidate.machine === elf.machine);
  if (elf.class !== 64) refuse("it is a 32-bit program");
  if (target === undefined) return refuse(`stage0 does not support its machine (e_machine ${elf.machine})`);
  if (isPacked(file.bytes, elf)) refuse("it is packed already");
  if (elf.type === "shared") refuse("it is a position-independent executable or a library");
  if (elf.type !== "executable") refuse(`it is of the type "${elf.type}"`);
  if (elf.interpreter === null) refuse("it is statically linked (no PT_INTERP)");
  if (elf.interpreter?.split("/").at(-1) !== target.loader)
    refuse(`it asks for the loader ${elf.interpreter}, not for glibc's ${target.loader}`);
  for (const header of elf.programHeaders) {
    if (!KNOWN_HEADERS.has(header.type))
      refuse(`it has a program header of the unknown type 0x${header.type.toString(16)}`);
  }
  checkSegments(elf, file.bytes.length, refuse);
  checkDynamic(elf, refuse);
  return { elf, target };
}

/** Returns the first address after the program, its bss included. */
export function endOfMemory(elf: Elf): number {
  return Math.max(...loads(elf).map((load) => load.address + load.memorySize));
}

/** Throws BootError if the program or a library needs a library that is not among these. */
export function checkLibraries({ program, loader, libraries }: Parts, elf: Elf, target: Target): void {
  if (loader.name !== target.loader) refuser(loader.name)(`the loader must be ${target.loader}`);
  const names = [loader, ...libraries].map((file) => file.name);
  for (const needed of elf.needed) {
    if (names.includes(needed)) continue;
    refuser(program.name)(`it needs ${needed}, which is not among the given libraries: ${names.join(", ")}`);
  }
  for (const file of [loader, ...libraries]) checkLibrary(file, elf, target);
}

function checkLibrary(file: NamedFile, program: Elf, target: Target): void {
  const library = readElf(file.bytes, file.name);
  const refuse: Refuse = refuser(file.name);
  if (library.machine !== program.machine) refuse(`its machine (e_machine ${library.machine}) is not the program's`);
  if (library.type !== "shared") refuse("it is not a shared library");
  if (library.soname !== file.name) refuse(`its soname is ${library.soname}`);
  checkSegments(library, file.bytes.length, refuse);
  for (const needed of library.needed) {
    if (needed === target.loader || program.needed.includes(needed)) continue;
    refuse(`it needs ${needed}, which the program does not need`);
  }
}

/** Of x86-64 with four levels of page tables (Documentation/arch/x86/x86_64/mm.rst); the other machine's is larger. */
const USER_SPACE_END = 2 ** 47;

function checkSegments(elf: Elf, fileSize: number, refuse: Refuse): void {
  const segments = loads(elf);
  if (segments.length === 0) refuse("it has no segment to load (PT_LOAD)");
  let end = 0;
  for (const segment of segments) {
    if (segment.address < end) refuse("its segments overlap, or are not in order");
    if (segment.fileSize > segment.memorySize) refuse("a segment is larger in the file than in memory");
    if (segment.offset + segment.fileSize > fileSize) refuse("a segment ends after the file");
    end = segment.address + segment.memorySize;
  }
  // Also where numbers are exact: a larger address would be rounded.
  if (end > USER_SPACE_END) refuse("a segment is outside the user address space");
}

function checkDynamic(elf: Elf, refuse: Refuse): void {
  const count = (tag: number) => elf.dynamic.filter((entry) => entry.tag === tag).length;
  if (elf.needed.length === 0) refuse("its dynamic section names no library (DT_NEEDED)");
  if (count(DT.STRTAB) !== 1 || count(DT.STRSZ) !== 1) refuse("its dynamic section has not exactly one string table");
  if (count(DT.VERNEED) !== count(DT.VERNEEDNUM) || count(DT.VERNEED) > 1)
    refuse("its dynamic section contradicts itself about versions (DT_VERNEED)");
  if (programHeaderAddress(elf) === null) refuse("no segment contains its program headers");
}

/** Returns the address of the program header table in memory (AT_PHDR); null if it is not loaded. */
export function programHeaderAddress(elf: Elf): number | null {
  const at = elf.programHeaderOffset;
  const load = loads(elf).find((candidate) => candidate.offset <= at && at < candidate.offset + candidate.fileSize);
  return load === undefined ? null : load.address + at - load.offset;
}

type Refuse = (reason: string) => never;

function refuser(name: string): Refuse {
  return (reason) => {
    throw new BootError(`${name} cannot be packed: ${reason}`, {
      hint: "the packer needs a program made by `bun build --compile`, and glibc's libraries for its machine",
    });
  };
}
