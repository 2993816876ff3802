import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EM } from "../../src/desk/program/elf.ts";
import { BootError } from "../../src/problems/errors.ts";
import { fetchForeignParts } from "../foreign.ts";

export type Target = (typeof TARGETS)[number];

/** AMD64, baseline. `pageSize` is the largest of a machine's kernels, `loader` the DT_SONAME of glibc's dynamic loader, `debian` and `triplet` Debian's names, `bun` the package with its Bun. */
export const X86_64 = {
  name: "x86_64" as const,
  machine: EM.X86_64,
  pageSize: 0x1000,
  loader: "ld-linux-x86-64.so.2",
  compiler: process.arch === "x64" ? "gcc" : "x86_64-linux-gnu-gcc",
  // Without SSE, as stage0 checks the CPU first.
  compilerFlags: ["-mgeneral-regs-only", "-fcf-protection=none"],
  ...{ debian: "amd64", triplet: "x86_64-linux-gnu", bun: "@oven/bun-linux-x64" },
};

/** 64-bit Arm. */
export const AARCH64 = {
  name: "aarch64" as const,
  machine: EM.AARCH64,
  pageSize: 0x10000,
  loader: "ld-linux-aarch64.so.1",
  compiler: process.arch === "arm64" ? "gcc" : "aarch64-linux-gnu-gcc",
  compilerFlags: ["-mgeneral-regs-only", "-mno-outline-atomics"],
  ...{ debian: "arm64", triplet: "aarch64-linux-gnu", bun: "@oven/bun-linux-aarch64" },
};

export const TARGETS = [X86_64, AARCH64] as const;

export const HOST = process.arch === "arm64" ? AARCH64 : X86_64;

const COMMON_FLAGS = [
  ...["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"],
  // No C library, and nothing that needs one.
  ...["-ffreestanding", "-nostdlib", "-fno-stack-protector", "-fno-tree-loop-distribute-patterns"],
  // One segment, and reproducible output.
  ...["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-ident"],
  "-Wl,--build-id=none,-z,noseparate-code,-z,noexecstack,--gc-sections",
];
/** No relocations. */
const FLAGS = [...COMMON_FLAGS, "-static", "-no-pie", "-fno-pie"];
const LIBRARY_FLAGS = [...COMMON_FLAGS, "-shared", "-fPIC", "-fvisibility=hidden"];

/** libzstd's decoders of formats before zstd 0.8, which its decompressor names; unpack.c never gets there. */
const OLD_DECODERS = ["05", "06", "07"].flatMap((version) => [
  ...["createDCtx", "freeDCtx", "decompressContinue", "decompressInitDictionary"].map((f) => `ZBUFFv${version}_${f}`),
  ...["createDCtx", "freeDCtx", "decompress_usingDict", "findFrameSizeInfoLegacy", "getFrameParams"].map(
    (f) => `ZSTDv${version}_${f}`,
  ),
]);

/** Where stage0 finds what the packer makes. `store` is null in a program whose runtime is not compressed. */
export type Places = Readonly<{ config: number; store: number | null }>;

/**
 * Compiles stage0 with gcc to an ELF with one segment at `address`; with "-g" the same code has symbols for gdb. With a store, the
 * pager is in it. Throws a BootError with the compiler's output.
 */
export function linkStage0(
  target: Target,
  address: number,
  { config, store }: Places,
  symbols: "-s" | "-g" = "-s",
): Uint8Array {
  const define = (name: string, value: number) => `-Wl,--defsym=${name}=0x${value.toString(16)}`;
  const places = [define("config", config)];
  if (store === null) places.push(`-Wl,-Ttext-segment=0x${address.toString(16)}`);
  else {
    places.push(
      "-DPAGED",
      ...pathsOf(target),
      "-Wl,-T,pager/stage0.ld",
      define("stage0", address),
      define("store", store),
      "-lzstd",
      "-llz4",
    );
    places.push(...OLD_DECODERS.map((name) => define(name, 0)));
  }
  const sources = [".", ...(store === null ? [] : ["pager"])].flatMap(sourcesIn);
  const flags = [...FLAGS, symbols, ...target.compilerFlags];
  return intoFile((output) => compile([target.compiler, ...flags, ...sources, ...places, "-o", output]));
}

/** Where the compiler for another machine finds the decompressors. */
function pathsOf(target: Target): readonly string[] {
  if (target === HOST) return [];
  const { root } = fetchForeignParts(target);
  return [`-I${root}/usr/include`, `-L${root}/usr/lib/${target.triplet}`];
}

/** The parts of stage0 that the exit program shares. */
const SHARED = ["arrays.c", "entries.c", "say.c", "terminal.c", "text.c", "volumes.c"];

/** Compiles the exit program (exit/exit.c), which is no part of stage0, to a static ELF. Throws a BootError with the compiler's output. */
export function linkExitProgram(target: Target): Uint8Array {
  const sources = [...sourcesIn("exit"), ...SHARED];
  return intoFile((output) =>
    compile([target.compiler, ...FLAGS, "-s", ...target.compilerFlags, ...sources, "-o", output]),
  );
}

/** Compiles the library that compares and copies many files (files/), which is no part of stage0 either. Throws a BootError with the compiler's output. */
export function linkFilesLibrary(target: Target): Uint8Array {
  return intoFile((output) =>
    compile([
      ...[target.compiler, ...LIBRARY_FLAGS, "-s", ...target.compilerFlags],
      ...[...sourcesIn("files"), "entries.c", "-o", output],
    ]),
  );
}

function intoFile(make: (output: string) => void): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "levain-stage0-"));
  try {
    const output = join(directory, "stage0");
    make(output);
    return readFileSync(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function sourcesIn(directory: string): readonly string[] {
  const names = readdirSync(join(import.meta.dirname, directory)).filter((name) => name.endsWith(".c"));
  return names.sort().map((name) => join(directory, name));
}

function compile(command: string[]): void {
  const compiler = command[0] ?? "";
  if (Bun.which(compiler) === null)
    throw new BootError(`${compiler} is not installed`, {
      hint: "install it (Debian: apt install gcc, or gcc-aarch64-linux-gnu)",
    });
  const run = Bun.spawnSync(command, { cwd: import.meta.dirname, stderr: "pipe" });
  if (run.exitCode !== 0)
    throw new BootError("stage0 does not compile", { seen: run.stderr.toString().trim().split("\n") });
}
