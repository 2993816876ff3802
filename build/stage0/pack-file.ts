import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { NamedFile } from "../../src/desk/program/checks.ts";
import { readElf } from "../../src/desk/program/elf.ts";
import { findLibraries } from "../../src/desk/program/libraries.ts";
import { linkStage0 } from "./link.ts";
import { pack } from "./pack.ts";

/** The executable at `path` as one static file, with the loader and the libraries that this system has for it. Throws BootError. */
export function packFile(path: string): Uint8Array {
  const program = readFile(path);
  const [loader, ...libraries] = findLibraries(path, readElf(program.bytes, path)).map((library) =>
    readFile(library.hostPath),
  );
  // Without a loader it is static: pack() knows the words for that.
  return pack({ program, loader: loader ?? { name: "", bytes: new Uint8Array(0) }, libraries }, linkStage0);
}

function readFile(path: string): NamedFile {
  return { name: basename(path), bytes: readFileSync(path) };
}
