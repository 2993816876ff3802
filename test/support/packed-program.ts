import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packFile } from "../../build/stage0/pack.ts";
import { scratchDirectory } from "./cache.ts";
import { compileOnce, linkOnce } from "./compiled-c.ts";

/** Compiles a C file of test/support as `bun build --compile` makes its executables: dynamically linked, not position-independent. */
export function compileProgram(source: string): Promise<string> {
  return compileOnce(source, "-no-pie", "-O1");
}

let child: Promise<string> | null = null;

/** stage0-child.c, packed by the real packer: a program of 2 MB instead of Bun's 100, for tests of stage0. Returns its path. */
export function packedChild(): Promise<string> {
  child ??= packChild();
  return child;
}

async function packChild(): Promise<string> {
  const packed = join(scratchDirectory(), "packed");
  writeFileSync(packed, packFile(await compileProgram("stage0-child.c"), linkOnce));
  chmodSync(packed, 0o755);
  return packed;
}

/** Compiles a C file of test/support to a static program. Returns its path. */
export function compileStatic(source: string): Promise<string> {
  return compileOnce(source, "-static", "-O1");
}
