import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packFile } from "../../build/stage0/pack.ts";
import { scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";

const SUPPORT = import.meta.dir;

/** Compiles a C file of test/support as `bun build --compile` makes its executables: dynamically linked, not position-independent. */
export async function compileProgram(source: string, output = join(scratchDirectory(), "program")): Promise<string> {
  await run(["gcc", "-no-pie", "-O1", "-Wall", "-Wextra", "-Werror", join(SUPPORT, source), "-o", output]);
  return output;
}

let child: Promise<string> | null = null;

/** stage0-child.c, packed by the real packer: a program of 2 MB instead of Bun's 100, for tests of stage0. Returns its path. */
export function packedChild(): Promise<string> {
  child ??= packChild();
  return child;
}

async function packChild(): Promise<string> {
  const program = await compileProgram("stage0-child.c");
  const packed = `${program}.packed`;
  writeFileSync(packed, packFile(program));
  chmodSync(packed, 0o755);
  return packed;
}

/** Compiles a C file of test/support to a static program. Returns its path. */
export async function compileStatic(source: string): Promise<string> {
  const output = join(scratchDirectory(), "program");
  await run(["gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", join(SUPPORT, source), "-o", output]);
  return output;
}
