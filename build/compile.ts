import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../src/problems/errors.ts";
import { report } from "../src/problems/report.ts";
import { gatherNativeLibraries } from "./native-libraries.ts";
import { trimIcuFile } from "./runtime/icu.ts";
import { packFile } from "./stage0/pack.ts";

/** Makes dist/levain: `bun build --compile`, less of ICU's data, then the packer. Run it as `bun build/compile.ts [OUTPUT]`. */

const ROOT = join(import.meta.dirname, "..");
const FLAGS = [
  ...["--compile", "--minify", "--bytecode", "--format=esm", "--splitting"],
  // Files in the current directory must not configure levain.
  ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
  ...["--asset", "rootfs-skel"],
];

function compile(output: string, libraries: string): void {
  const command = [process.execPath, "build", ...FLAGS, "--asset", libraries, "src/main.ts", "--outfile", output];
  const run = Bun.spawnSync(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  if (run.exitCode === 0) return;
  throw new BootError("bun build failed", { seen: run.stderr.toString().trim().split("\n") });
}

function build(output: string): void {
  const workplace = `${output}.parts`;
  const unfinished = join(workplace, "packed");
  // The executable contains this name, so it must not vary.
  const unpacked = join(workplace, "levain");
  mkdirSync(workplace, { recursive: true });
  try {
    compile(unpacked, gatherNativeLibraries(workplace, process.execPath));
    trimIcuFile(unpacked);
    writeFileSync(unfinished, packFile(unpacked));
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, output);
  } finally {
    rmSync(workplace, { recursive: true, force: true });
  }
}

try {
  build(process.argv[2] ?? join(ROOT, "dist", "levain"));
} catch (error) {
  console.error(report(error).join("\n"));
  process.exitCode = 1;
}
