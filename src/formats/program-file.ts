import type { ByteSource } from "./facts.ts";

/** Format of a file that the kernel is asked to execute (fs/binfmt_script.c, fs/binfmt_elf.c). */
export type ProgramFile =
  | { readonly format: "script"; readonly interpreter: string }
  /** `machine` is e_machine of elf.h, `loader` PT_INTERP: null for a static program. */
  | { readonly format: "elf"; readonly machine: number; readonly loader: string | null }
  | { readonly format: "unknown" };

/** BINPRM_BUF_SIZE of linux/binfmts.h: the part of the file from which the kernel knows its format. */
const HEAD_BYTES = 256;
/** ELF_MIN_ALIGN and PATH_MAX: limits of the kernel for program headers and for the path of a loader. */
const MOST_HEADER_BYTES = 65536;
const MOST_PATH_BYTES = 4096;
const PT_INTERP = 3;

/** Reads the beginning of a program; a truncated or contradictory one is "unknown". */
export function readProgramFile(file: ByteSource): ProgramFile {
  const head = file.read(0, HEAD_BYTES);
  if (head[0] === 0x23 && head[1] === 0x21) return readScript(head);
  if (head.length < 20 || toView(head).getUint32(0) !== 0x7f454c46) return { format: "unknown" };
  try {
    return readElf(file, toView(head));
  } catch (error) {
    if (error instanceof RangeError) return { format: "unknown" };
    throw error;
  }
}

function readScript(head: Uint8Array): ProgramFile {
  const line = new TextDecoder().decode(head.subarray(2)).split("\n", 1)[0] ?? "";
  const [interpreter = ""] = line.replace(/^[ \t]+/, "").split(/[ \t\0]/, 1);
  return { format: "script", interpreter };
}

/** Elf32_Ehdr and Elf64_Ehdr, Elf32_Phdr and Elf64_Phdr of elf(5), in either byte order. Throws RangeError for a truncated file. */
function readElf(file: ByteSource, view: DataView): ProgramFile {
  const [isWide, isLittle] = [view.getUint8(4) === 2, view.getUint8(5) !== 2];
  const word = (from: DataView, at: number) =>
    isWide ? Number(from.getBigUint64(at, isLittle)) : from.getUint32(at, isLittle);
  const machine = view.getUint16(18, isLittle);
  const tableAt = word(view, isWide ? 32 : 28);
  const [size, count] = [isWide ? 56 : 32, view.getUint16(isWide ? 56 : 44, isLittle)];
  if (size * count > MOST_HEADER_BYTES) throw new RangeError("too many program headers");
  const table = toView(file.read(tableAt, size * count));
  for (let at = 0; at < size * count; at += size) {
    if (table.getUint32(at, isLittle) !== PT_INTERP) continue;
    const [from, length] = [word(table, at + (isWide ? 8 : 4)), word(table, at + (isWide ? 32 : 16))];
    if (length > MOST_PATH_BYTES) throw new RangeError("the loader's path is too long");
    const loader = new TextDecoder().decode(file.read(from, length)).split("\0", 1)[0] ?? "";
    return { format: "elf", machine, loader };
  }
  return { format: "elf", machine, loader: null };
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
