import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Elf, readElf } from "../src/desk/program/elf.ts";
import { findLibrary } from "../src/desk/program/libraries.ts";
import { BootError } from "../src/problems/errors.ts";
import { fetchForeignParts } from "./foreign.ts";
import type { NamedFile, Parts } from "./stage0/checks.ts";
import { AARCH64, HOST, type Target } from "./stage0/link.ts";

/** Where a build finds what it needs for its target. */
export interface Site {
  readonly target: Target;
  /** The Bun that is compiled into the program. */
  readonly runtime: string;
  /** Arguments of `bun build` that choose it. */
  readonly compileFlags: readonly string[];
  /** The path of a library for `user`, a program for the target; null if there is none. */
  findLibrary(name: string, user: Elf): string | null;
}

/** Builds for this machine, with its own libraries. */
export const hostSite: Site = { target: HOST, runtime: process.execPath, compileFlags: [], findLibrary };

/** Builds for AArch64: with what is fetched for it on a machine of another kind. Throws BootError. */
export function aarch64Site(): Site {
  if (HOST === AARCH64) return hostSite;
  const { runtime, root } = fetchForeignParts(AARCH64);
  const directories = [`lib/${AARCH64.triplet}`, `usr/lib/${AARCH64.triplet}`];
  return {
    target: AARCH64,
    runtime,
    compileFlags: ["--target=bun-linux-arm64", `--compile-executable-path=${runtime}`],
    findLibrary: (name) => directories.map((directory) => join(root, directory, name)).find(existsSync) ?? null,
  };
}

/** Reads the executable at `path`, and its loader and libraries, by default those of this machine. Throws BootError. */
export function readParts(path: string, find: Site["findLibrary"] = findLibrary): Parts {
  const program = readNamed(path);
  const elf = readElf(program.bytes, path);
  // Without a loader it is static, which pack() refuses.
  if (elf.interpreter === null) return { program, loader: { name: "", bytes: new Uint8Array(0) }, libraries: [] };
  const loaderName = basename(elf.interpreter);
  const read = (name: string): NamedFile => {
    const found = find(name, elf);
    if (found === null) {
      throw new BootError(`cannot pack ${path}: there is no ${name} for it`, {
        hint: "install the package that contains it",
      });
    }
    return { name, bytes: readFileSync(found) };
  };
  return { program, loader: read(loaderName), libraries: elf.needed.filter((name) => name !== loaderName).map(read) };
}

function readNamed(path: string): NamedFile {
  return { name: basename(path), bytes: readFileSync(path) };
}
