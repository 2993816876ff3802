import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";
import { isPaged, readElf } from "./elf.ts";
import { readTrailer, TRAILER_SIZE } from "./trailer.ts";

/** How the runtime is in a program: compressed, and unpacked as far as it is touched; or as plain segments. */
export type RuntimeKind = "paged" | "plain";

/** A program that can become /init. `isCompressed`: compressing it again saves next to nothing. */
export type InitProgram = Readonly<{ kind: RuntimeKind; bytes: Uint8Array; isCompressed: boolean }>;

/** Returns the kinds of runtime that this levain (the file at `path`) can write as /init, the preferred one first. */
export function initProgramKinds(path: string = findSelf()): readonly RuntimeKind[] {
  return readProgramFile(path, ({ parts }) => [...parts.keys()]);
}

/**
 * Returns the program of this levain (the file at `path`) that becomes /init. Throws BootError if it does not contain that kind:
 * `make` appends the paged program to the plain one; an initramfs has only one of them.
 */
export function initProgram(kind: RuntimeKind, path: string = findSelf()): InitProgram {
  return readProgramFile(path, ({ file, parts, isItselfPaged }) => {
    const part = parts.get(kind);
    if (part !== undefined) return { kind, bytes: readPart(file, path, part), isCompressed: kind === "paged" };
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

type Part = Readonly<{ offset: number; size: number }>;
type ProgramFile = Readonly<{ file: number; parts: ReadonlyMap<RuntimeKind, Part>; isItselfPaged: boolean }>;

function readProgramFile<T>(path: string, use: (program: ProgramFile) => T): T {
  return attempt(`cannot read ${path}, which is to become /init`, () => {
    const file = openSync(path, "r");
    try {
      return use({ file, ...findParts(file, path) });
    } finally {
      closeSync(file);
    }
  });
}

function findParts(file: number, path: string) {
  const { size } = fstatSync(file);
  const tail = readPart(file, path, { offset: Math.max(0, size - TRAILER_SIZE), size: Math.min(size, TRAILER_SIZE) });
  const trailer = readTrailer(tail, size);
  if (trailer !== null) {
    const { plainSize, pagedOffset, pagedSize } = trailer;
    const paged = { offset: pagedOffset, size: pagedSize };
    const parts = new Map<RuntimeKind, Part>([
      ["paged", paged],
      ["plain", { offset: 0, size: plainSize }],
    ]);
    return { parts, isItselfPaged: false };
  }
  const whole = readPart(file, path, { offset: 0, size });
  const isItselfPaged = isPaged(whole, readElf(whole, path));
  const kind: RuntimeKind = isItselfPaged ? "paged" : "plain";
  return { parts: new Map([[kind, { offset: 0, size }]]), isItselfPaged };
}

function readPart(file: number, path: string, { offset, size }: Part): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const count = readSync(file, bytes, done, size - done, offset + done);
    if (count === 0) throw new BootError(`${path} ends too early: it was changed while it was read`);
    done += count;
  }
  return bytes;
}
