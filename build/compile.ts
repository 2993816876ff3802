import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { align } from "../src/desk/archive/cpio.ts";
import { readElf } from "../src/desk/program/elf.ts";
import { writeTrailer } from "../src/desk/program/trailer.ts";
import { BootError } from "../src/problems/errors.ts";
import { report } from "../src/problems/report.ts";
import { readBuildTime } from "./build-time.ts";
import { gatherNativeLibraries } from "./native-libraries.ts";
import { findBytecode } from "./runtime/bundle.ts";
import { trimIcuFile } from "./runtime/icu.ts";
import { removeResourcesFile } from "./runtime/resources.ts";
import { aarch64Site, hostSite, readParts, type Site } from "./site.ts";
import { endOfMemory, type NamedFile } from "./stage0/checks.ts";
import { linkExitProgram, type Target } from "./stage0/link.ts";
import { pack } from "./stage0/pack.ts";
import { groupCache } from "./stage0/paged/compress.ts";
import { HOT_PAGES, identifyRuntime, readHotPages } from "./stage0/paged/hot-pages.ts";
import { packPaged } from "./stage0/paged/pack-paged.ts";
import type { Bundle, PageSets } from "./stage0/paged/plan.ts";
import { STORE_FLAGS } from "./stage0/paged/store.ts";

/**
 * Makes dist/levain: `bun build --compile`, less of ICU's data and of the files for Bun's own commands, then the packer, twice: the
 * plain program, and after its end the paged one, which `levain image` writes as /init. Run it as `bun build/compile.ts
 * [--target aarch64] [--recorder] [OUTPUT]`; with --recorder, the paged program has no hot pages and writes those that it touches to the kernel log, for
 * bench/hot-pages.ts.
 */

const ROOT = join(import.meta.dirname, "..");
const PAGED = join(import.meta.dirname, "stage0/paged");
const PAGE_SIZE = 0x1000;
const SITES: Readonly<Record<string, () => Site>> = { aarch64: aarch64Site };
const FLAGS = [
  ...["--compile", "--minify", "--bytecode", "--format=esm", "--splitting"],
  // Files in the current directory must not configure levain.
  ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
  ...["--asset", "rootfs-skel"],
];

/** Packs the exit program, which no part of levain loads, beside the libraries. */
function packExitProgram(libraries: string, target: Target): string {
  writeFileSync(join(libraries, "exit-program"), linkExitProgram(target));
  return libraries;
}

function compile(output: string, libraries: string, site: Site): void {
  const define = ["--define", `LEVAIN_BUILD_SECONDS=${readBuildTime()}`];
  const files = ["--asset", libraries, "src/main.ts", "--outfile", output];
  const command = [process.execPath, "build", ...FLAGS, ...site.compileFlags, ...define, ...files];
  const run = Bun.spawnSync(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  if (run.exitCode === 0) return;
  throw new BootError("bun build failed", { seen: run.stderr.toString().trim().split("\n") });
}

async function packBoth(path: string, isRecorder: boolean, site: Site): Promise<Uint8Array> {
  const parts = readParts(path, site.findLibrary);
  const plain = pack(parts);
  const paged = await packPaged(
    parts,
    isRecorder
      ? // It unpacks a group for each page, again and again.
        { sets: [], groupPages: 16, cache: null, flags: STORE_FLAGS.log, level: 1 }
      : { sets: gatherSets(parts.program, site), bundle: findBundle(parts.program, site), cache: groupCache() },
  );
  const pagedOffset = align(plain.length, site.target.pageSize);
  const trailer = writeTrailer({ plainSize: plain.length, pagedOffset, pagedSize: paged.length });
  return Buffer.concat([plain, new Uint8Array(pagedOffset - plain.length), paged, trailer]);
}

/**
 * Bun appends the bundle to the memory of its own executable: first the bytecode of the boot's modules, then that of Bun's modules and
 * the strings of all, of which every boot reads some, then the bytecode of the other chunks, and the sources.
 */
function findBundle({ bytes, name }: NamedFile, { runtime }: Site): Bundle {
  const program = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const others = findBytecode(program, readElf(program, name)).others.values();
  return {
    first: Math.ceil(endOfMemory(readElf(readFileSync(runtime))) / PAGE_SIZE),
    end: Math.floor(Math.min(...others.map(({ start }) => start)) / PAGE_SIZE),
  };
}

/** The recorded sets, and behind the first one the bytecode of the boot: every boot touches nearly all of its pages, and LZ4 halves it. */
function gatherSets({ bytes, name }: NamedFile, { target }: Site): PageSets {
  const program = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elf = readElf(program, name);
  const sets = readHotPages(
    readFileSync(join(PAGED, HOT_PAGES[target.name]), "utf8"),
    identifyRuntime(program, elf, Bun.version),
  );
  const bytecode = new Set<number>();
  for (const { start, end } of findBytecode(program, elf).boot.values()) {
    for (let page = Math.floor(start / PAGE_SIZE); page < end / PAGE_SIZE; page++) bytecode.add(page);
  }
  return sets.toSpliced(1, 0, { name: "bytecode", pages: bytecode, isFollowing: false });
}

async function build(output: string, isRecorder: boolean, site: Site): Promise<void> {
  const workplace = `${output}.parts`;
  const unfinished = join(workplace, "packed");
  // The executable contains this name, so it must not vary.
  const unpacked = join(workplace, "levain");
  mkdirSync(workplace, { recursive: true });
  try {
    compile(unpacked, packExitProgram(gatherNativeLibraries(workplace, site), site.target), site);
    trimIcuFile(unpacked);
    removeResourcesFile(unpacked);
    writeFileSync(unfinished, await packBoth(unpacked, isRecorder, site));
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, output);
  } finally {
    rmSync(workplace, { recursive: true, force: true });
  }
}

try {
  const { values, positionals } = parseArgs({
    options: { recorder: { type: "boolean" }, target: { type: "string" } },
    allowPositionals: true,
  });
  const site = values.target === undefined ? hostSite : SITES[values.target]?.();
  if (site === undefined) throw new BootError(`--target ${values.target}: Expected ${Object.keys(SITES).join(" or ")}`);
  await build(positionals[0] ?? join(ROOT, "dist", "levain"), values.recorder ?? false, site);
} catch (error) {
  console.error(report(error).join("\n"));
  process.exitCode = 1;
}
