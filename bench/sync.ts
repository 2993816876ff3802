// Compares levain sync with rsync: 10,000 new files in an overlay, written to the same disk. As root:
//   unshare --mount --propagation private node_modules/.bin/bun bench/sync.ts
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../test/support/cache.ts";
import { LEVAIN } from "../test/support/levain-image.ts";
import "../test/support/test-programs.ts";

const FILES = 10_000;
const FILES_IN_DIRECTORY = 100;
const FILE_BYTES = 4096;
const ROUNDS = 3;
/** A place at which levain looks for what it may write to; in this process's namespace alone. */
const PARTS = "/run/levain";
const MERGED = `${PARTS}/merged`;

function run(...argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv], { env: process.env, stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: exit status ${exitCode}\n${stderr.toString()}`);
}

/** Runs commands one after the other; returns their milliseconds of the wall clock. */
function measure(...commands: readonly (readonly string[])[]): number {
  const startMs = performance.now();
  for (const argv of commands) run(...argv);
  return performance.now() - startMs;
}

/** Stacks a tmpfs over an empty place on the disk over an empty base, and fills it. */
function fillOverlay(disk: string): void {
  for (const name of ["store/upper", "base", "copy"]) mkdirSync(join(disk, name), { recursive: true });
  for (const name of ["store", "ram", "merged"]) mkdirSync(join(PARTS, name));
  run("mount", "--bind", join(disk, "store"), `${PARTS}/store`);
  run("mount", "-t", "tmpfs", "ram", `${PARTS}/ram`);
  for (const name of ["upper", "work"]) mkdirSync(`${PARTS}/ram/${name}`);
  const layers = `lowerdir=${PARTS}/store/upper:${join(disk, "base")},upperdir=${PARTS}/ram/upper,workdir=${PARTS}/ram/work`;
  run("mount", "-t", "overlay", "-o", layers, "overlay", MERGED);
  const bytes = crypto.getRandomValues(new Uint8Array(FILE_BYTES));
  for (let count = 0; count < FILES; count++) {
    const directory = `${MERGED}/${Math.floor(count / FILES_IN_DIRECTORY)}`;
    if (count % FILES_IN_DIRECTORY === 0) mkdirSync(directory);
    writeFileSync(`${directory}/${count}`, bytes.fill(count & 0xff, 0, 8));
  }
}

function measureRound(): Record<string, number> {
  const disk = scratchDirectory();
  run("mount", "-t", "tmpfs", "run", "/run");
  mkdirSync(PARTS);
  try {
    fillOverlay(disk);
    const rsync = ["rsync", "-aHAX", "--delete", `${MERGED}/`, `${join(disk, "copy")}/`];
    const flush = ["sync", "-f", disk];
    const levain = [LEVAIN, "sync"];
    run(...flush);
    return {
      "rsync -aHAX, and sync -f, since levain waits for the disk": measure(rsync, flush),
      "levain sync": measure(levain),
      "rsync -aHAX again, nothing changed": measure(rsync, flush),
      "levain sync again, nothing changed": measure(levain),
    };
  } finally {
    run("umount", "-R", "/run");
    rmSync(disk, { recursive: true, force: true });
  }
}

const rounds = Array.from({ length: ROUNDS }, measureRound);
console.log(`${FILES} files of ${FILE_BYTES} bytes, median of ${ROUNDS}:`);
for (const what of Object.keys(rounds[0] ?? {})) {
  const sorted = rounds.map((round) => round[what] ?? Number.NaN).sort((one, other) => one - other);
  console.log(`${what.padEnd(60)} ${(sorted[Math.floor(ROUNDS / 2)] ?? Number.NaN).toFixed(0).padStart(6)} ms`);
}
