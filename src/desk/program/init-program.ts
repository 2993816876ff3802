import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { type Content, contentOfBytes, contentOfFile } from "../archive/content.ts";
import { attempt } from "../host.ts";
import { ELF_HEAD_SIZE, isPaged, readElf, readMachine } from "./elf.ts";
import { readTrailer, TRAILER_SIZE } from "./trailer.ts";

/** How the runtime is in a program: compressed, and unpacked as far as it is touched; or as plain segments. */
export type RuntimeKind = "paged" | "plain";

/** A program that can become /init. `isCompressed`: compressing it again saves next to nothing; `machine`: e_machine; `interpreter`: the loader that it needs, or null. */
export type InitProgram = Readonly<{
  kind: RuntimeKind;
  content: Content;
  isCompressed: boolean;
  machine: number;
  interpreter: string | null;
}>;

/** Returns the kinds of runtime that this levain (the file at `path`) can write as /init, the preferred one first. */
export function initProgramKinds(path: string = findSelf()): readonly RuntimeKind[] {
  return readProgramFile(path, ({ parts }) => [...parts.keys()]);
}

/**
 * Returns the program of this levain (the file at `path`) that becomes /init. Throws BootError if it does not contain that kind:
 * `make` appends the paged program to the plain one; an initramfs has only one of them.
 */
export function initProgram(kind: RuntimeKind, path: string = findSelf()): InitProgram {
  return readProgramFile(path, ({ parts, isItselfPaged }) => {
    const part = parts.get(kind);
    if (part !== undefined) return { kind, isCompressed: kind === "paged", ...part };
    throw isItselfPaged
      ? new BootError(`cannot write the plain runtime: ${path} is a paged program and contains no plain one`, {
          hint: "use the levain that make built (dist/levain) instead of the /init of an image, or --runtime=paged",
        })
      : new BootError(`cannot write the paged runtime: ${path} has no paged program after its end`, {
          hint: "build levain with make and use dist/levain, or --runtime=plain",
        });
  });
}

/** If levain runs from its sources, the running program is Bun, so the result of `make` is used. */
export function findSelf(): string {
  return import.meta.dir.startsWith("/$bunfs/")
    ? "/proc/self/exe"
    : join(resolve(import.meta.dir, "../../.."), "dist", "levain");
}

type Part = Pick<InitProgram, "content" | "machine" | "interpreter">;
type ProgramFile = Readonly<{ parts: ReadonlyMap<RuntimeKind, Part>; isItselfPaged: boolean }>;

function readProgramFile<T>(path: string, use: (program: ProgramFile) => T): T {
  return attempt(`cannot read ${path}, which is to become /init`, () => {
    const file = openSync(path, "r");
    try {
      return use(findParts(file, path));
    } finally {
      closeSync(file);
    }
  });
}

function findParts(file: number, path: string): ProgramFile {
  const { size } = fstatSync(file);
  const trailer = readTrailer(read(file, path, Math.max(0, size - TRAILER_SIZE), Math.min(size, TRAILER_SIZE)), size);
  if (trailer === null) return findOnlyPart(read(file, path, 0, size), path);
  // The packer makes both, for one machine, without a loader: they need not be in memory to be written.
  const machine = readMachine(read(file, path, 0, ELF_HEAD_SIZE), path);
  const part = (offset: number, length: number): Part => {
    return { content: contentOfFile(path, length, offset), machine, interpreter: null };
  };
  const parts = new Map<RuntimeKind, Part>([
    ["paged", part(trailer.pagedOffset, trailer.pagedSize)],
    ["plain", part(0, trailer.plainSize)],
  ]);
  return { parts, isItselfPaged: false };
}

function findOnlyPart(bytes: Uint8Array, path: string): ProgramFile {
  const elf = readElf(bytes, path);
  const isItselfPaged = isPaged(bytes, elf);
  const { machine, interpreter } = elf;
  const part = { content: contentOfBytes(bytes), machine, interpreter };
  return { parts: new Map([[isItselfPaged ? "paged" : "plain", part]]), isItselfPaged };
}

function read(file: number, path: string, offset: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const count = readSync(file, bytes, done, size - done, offset + done);
    if (count === 0) throw new BootError(`${path} ends too early: it was changed while it was read`);
    done += count;
  }
  return bytes;
}
