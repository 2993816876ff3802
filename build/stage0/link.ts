import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BootError } from "../../src/problems/errors.ts";
import type { Target } from "./targets.ts";

const FLAGS = [
  ...["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"],
  // No C library, nothing that needs one, and no relocations.
  ...["-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-pie", "-fno-stack-protector"],
  "-fno-tree-loop-distribute-patterns",
  // One segment, and reproducible output.
  ...["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-ident"],
  "-Wl,--build-id=none,-z,noseparate-code,-z,noexecstack",
];

/**
 * Compiles stage0 with gcc to an ELF with one segment at `address`; with "-g" the same code has symbols for gdb. Throws a
 * BootError with the compiler's output.
 */
export function linkStage0(
  target: Target,
  address: number,
  configAddress: number,
  symbols: "-s" | "-g" = "-s",
): Uint8Array {
  const sources = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".c"))
    .sort();
  const directory = mkdtempSync(join(tmpdir(), "levain-stage0-"));
  try {
    const output = join(directory, "stage0");
    const places = `-Wl,-Ttext-segment=0x${address.toString(16)},--defsym=config=0x${configAddress.toString(16)}`;
    compile([target.compiler, ...FLAGS, symbols, ...target.compilerFlags, ...sources, places, "-o", output]);
    return readFileSync(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function compile(command: string[]): void {
  const compiler = command[0] ?? "";
  if (Bun.which(compiler) === null)
    throw new BootError(`${compiler} is not installed`, { hint: "install it (Debian: apt install gcc)" });
  const run = Bun.spawnSync(command, { cwd: import.meta.dirname, stderr: "pipe" });
  if (run.exitCode !== 0)
    throw new BootError("stage0 does not compile", { seen: run.stderr.toString().trim().split("\n") });
}
