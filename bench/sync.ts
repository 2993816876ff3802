// Compares levain sync with rsync in 9 rounds (or $ROUNDS): 10,000 new files (or $FILES) in an overlay, written to a new ext4 in an image file. (Where files were removed a
// minute ago, ext4 looks for inodes that were not: half of the time of both.) As root:
//   unshare --mount --propagation private node_modules/.bin/bun bench/sync.ts
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../test/support/cache.ts";
import { LEVAIN } from "../test/support/levain-image.ts";
import "../test/support/test-programs.ts";

const FILES = Number(process.env["FILES"] ?? 10_000);
const FILES_IN_DIRECTORY = 100;
const FILE_BYTES = 4096;
const ROUNDS = Number(process.env["ROUNDS"] ?? 9);
/** Room for the files twice, and an inode for each: mkfs.ext4 makes one for 16 KiB. */
const IMAGE_SIZE = `${Math.max(512, FILES / 25)}M`;
/** A place at which levain looks for what it may write to; in this process's namespace alone. */
const PARTS = "/run/levain";
const MERGED = `${PARTS}/merged`;

/** Returns the milliseconds of CPU time that the command took. */
function run(...argv: readonly string[]): number {
  const { exitCode, stderr, resourceUsage } = Bun.spawnSync([...argv], {
    env: process.env,
    stdout: "ignore",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: exit status ${exitCode}\n${stderr.toString()}`);
  return Number(resourceUsage.cpuTime.total) / 1000;
}

interface Cost {
  /** Milliseconds of the wall clock, and of CPU time, which does not depend on what else the host does. */
  readonly wall: number;
  readonly cpu: number;
}

function measure(...commands: readonly (readonly string[])[]): Cost {
  const startMs = performance.now();
  const cpu = commands.map((argv) => run(...argv)).reduce((one, other) => one + other);
  return { wall: performance.now() - startMs, cpu };
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

function measureRound(_: unknown, round: number): Record<string, Cost> {
  const disk = scratchDirectory();
  const image = `${disk}.ext4`;
  run("truncate", "-s", IMAGE_SIZE, image);
  run("mkfs.ext4", "-q", image);
  run("mount", "-o", "loop", image, disk);
  run("mount", "-t", "tmpfs", "run", "/run");
  mkdirSync(PARTS);
  try {
    fillOverlay(disk);
    const rsync = ["rsync", "-aHAX", "--delete", `${MERGED}/`, `${join(disk, "copy")}/`];
    const flush = ["sync", "-f", disk];
    const levain = [LEVAIN, "sync"];
    run(...flush);
    const measureBoth = (again: string) => {
      const ways = [
        () => ({ [`rsync -aHAX${again}, and sync -f, since levain waits for the disk`]: measure(rsync, flush) }),
        () => ({ [`levain sync${again}`]: measure(levain) }),
      ];
      // What comes second finds a disk that the first has written to.
      return Object.assign({}, ...(round % 2 === 0 ? ways : ways.toReversed()).map((way) => way()));
    };
    return { ...measureBoth(""), ...measureBoth(" again, nothing changed") };
  } finally {
    run("umount", "-R", "/run");
    run("umount", disk);
    rmSync(image);
  }
}

const rounds = Array.from({ length: ROUNDS }, measureRound);
const median = (costs: readonly number[]) => costs.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)] ?? 0;
const shown = (costs: readonly number[]) => median(costs).toFixed(0).padStart(6);
console.log(
  `${FILES} files of ${FILE_BYTES} bytes, median of ${ROUNDS}, milliseconds of the wall clock and of CPU time:`,
);
for (const what of Object.keys(rounds[0] ?? {})) {
  const costs = rounds.flatMap((round) => round[what] ?? []);
  console.log(`${what.padEnd(60)} ${shown(costs.map(({ wall }) => wall))} ${shown(costs.map(({ cpu }) => cpu))}`);
}
