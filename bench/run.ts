// Compares levain with Debian's tools: `bun bench/run.ts [--only NAME,…] [--runs N] [--skip wall|icount|memory]…`.
// docs/performance.md explains the figures, which are printed as a table and written to a file in the cache.
import { statSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cacheDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { debianKernel, type Kernel } from "../test/support/kernels.ts";
import { findSmallestMemory, timeBoot } from "./guest.ts";
import { listPeers } from "./peers.ts";
import { formatTable, type Result } from "./table.ts";

const REFERENCE = "levain";
const MEMORY_MIB = 512;

interface Candidate {
  readonly image: string;
  readonly result: Result;
}

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    runs: { type: "string", default: "5" },
    skip: { type: "string", multiple: true, default: [] },
  },
});

async function makeCandidates(kernel: Kernel, names: readonly string[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const { name, what, image } of listPeers(kernel)) {
    if (names.length > 0 && !names.includes(name)) continue;
    tell(`building the image of ${name}`);
    const file = await image();
    const imageBytes = statSync(file).size;
    candidates.push({
      image: file,
      result: { name, what, imageBytes, wall: [], icount: null, smallestMemoryMib: null },
    });
  }
  return candidates;
}

/** In turns, so that other work of the machine affects all of them. */
async function measureWall(candidates: readonly Candidate[], runs: number): Promise<void> {
  for (let count = 1; count <= runs; count += 1) {
    for (const { image, result } of candidates) {
      const timing = await timeBoot(result.name, image, { icount: false, memoryMib: MEMORY_MIB });
      result.wall.push(timing);
      tell(`run ${count}: ${result.name}: ${timing.kernelMs.toFixed(0)} + ${timing.initMs.toFixed(0)} ms`);
    }
  }
}

async function measureInstructions({ image, result }: Candidate): Promise<void> {
  const timing = await timeBoot(result.name, image, { icount: true, memoryMib: MEMORY_MIB });
  result.icount = timing;
  tell(`icount: ${result.name}: ${timing.kernelMs.toFixed(0)} + ${timing.initMs.toFixed(0)} ms`);
}

async function measureMemory({ image, result }: Candidate): Promise<void> {
  result.smallestMemoryMib = await findSmallestMemory(result.name, image);
  tell(`memory: ${result.name}: ${result.smallestMemoryMib} MiB`);
}

function tell(text: string): void {
  console.error(text);
}

const kernel = await debianKernel("cloud");
const startLoad = loadavg()[0] ?? 0;
if (startLoad > 0.5)
  tell(`the machine is busy (load ${startLoad.toFixed(2)}): the wall-clock figures will be too high`);
const names = options.only.split(",").filter((name) => name !== "");
const candidates = await makeCandidates(kernel, names);
if (!options.skip.includes("wall")) await measureWall(candidates, Number(options.runs));
if (!options.skip.includes("icount")) for (const candidate of candidates) await measureInstructions(candidate);
if (!options.skip.includes("memory")) for (const candidate of candidates) await measureMemory(candidate);

const results = candidates.map(({ result }) => result);
const [qemu] = (await run(["qemu-system-x86_64", "--version"])).split("\n");
const host = { cpu: cpus()[0]?.model ?? "", cpus: cpus().length, startLoad, qemu, kernel: kernel.version };
const output = join(cacheDirectory("bench"), "results.json");
writeFileSync(output, `${JSON.stringify({ date: new Date().toISOString(), host, results }, null, 2)}\n`);
console.log(`${formatTable(results, REFERENCE)}\n`);
for (const { name, what } of results) console.log(`${name}: ${what}`);
console.log(`\nall figures: ${output}`);
