import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BootError } from "../src/errors.ts";
import { report } from "../src/report.ts";
import { readElf } from "./elf.ts";
import type { NamedFile } from "./stage0/checks.ts";
import { linkStage0 } from "./stage0/link.ts";
import { pack } from "./stage0/pack.ts";

/** Makes dist/levain: `bun build --compile`, then the packer. Run it as `bun build/compile.ts [OUTPUT]`. */

const ROOT = join(import.meta.dirname, "..");
/** Where Debian, Fedora and Arch keep glibc's libraries. */
const LIBRARY_DIRECTORIES = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib"];
const FLAGS = [
  ...["--compile", "--minify", "--bytecode", "--format=esm", "--splitting"],
  // What lies in the current directory of an init, or of a person's desk, is none of levain's configuration.
  ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
  ...["--asset", "rootfs-skel"],
];

function compile(output: string): void {
  const run = Bun.spawnSync([process.execPath, "build", ...FLAGS, "src/main.ts", "--outfile", output], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "pipe",
  });
  if (run.exitCode === 0) return;
  throw new BootError("bun build failed", { seen: run.stderr.toString().trim().split("\n") });
}

/** The loader and the libraries that the program names, from this system. */
function findLibraries(program: NamedFile): { loader: NamedFile; libraries: NamedFile[] } {
  const elf = readElf(program.bytes, program.name);
  const interpreter = elf.interpreter ?? "";
  const loader = interpreter.slice(interpreter.lastIndexOf("/") + 1);
  const names = elf.needed.filter((name) => name !== loader);
  return { loader: readFile(interpreter, loader), libraries: names.map((name) => readFile(findLibrary(name), name)) };
}

function findLibrary(name: string): string {
  const found = LIBRARY_DIRECTORIES.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new BootError(`could not find ${name}, which the Bun executable needs`, {
    seen: LIBRARY_DIRECTORIES,
    hint: "build levain on a system with glibc, as Debian 12",
  });
}

function readFile(path: string, name: string): NamedFile {
  return { name, bytes: readFileSync(path) };
}

function build(output: string): void {
  const unpacked = `${output}.bun`;
  const unfinished = `${output}.new`;
  mkdirSync(dirname(output), { recursive: true });
  try {
    compile(unpacked);
    const program = readFile(unpacked, "the Bun executable");
    writeFileSync(unfinished, pack({ program, ...findLibraries(program) }, linkStage0));
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, output);
  } finally {
    for (const path of [unpacked, unfinished]) rmSync(path, { force: true });
  }
}

try {
  build(process.argv[2] ?? join(ROOT, "dist", "levain"));
} catch (error) {
  console.error(report(error).join("\n"));
  process.exitCode = 1;
}
