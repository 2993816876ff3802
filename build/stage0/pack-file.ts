import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { readElf } from "../../src/desk/program/elf.ts";
import { findLibraries } from "../../src/desk/program/libraries.ts";
import type { NamedFile } from "./checks.ts";
import { linkStage0 } from "./link.ts";
import { pack } from "./pack.ts";

/** Packs the executable at `path` with this host's loader and libraries into one static file. Throws BootError. */
export function packFile(path: string): Uint8Array {
  const program = readFile(path);
  const [loader, ...libraries] = findLibraries(path, readElf(program.bytes, path)).map((library) =>
    readFile(library.hostPath),
  );
  // Without a loader it is static, which pack() refuses.
  return pack({ program, loader: loader ?? { name: "", bytes: new Uint8Array(0) }, libraries }, linkStage0);
}

function readFile(path: string): NamedFile {
  return { name: basename(path), bytes: readFileSync(path) };
}
