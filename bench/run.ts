// Compares levain with Debian's tools: `bun bench/run.ts [--only PART,…] [--skip PART,…] [--images NAME;…] [--runs N] [--page]`.
// PART: icount, wall, live, luks, size, build, memory, full-memory. docs/performance.md explains the figures, which are printed as
// one table and written to a file in the cache; with --page, the table is also written into that page.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cacheDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { debianKernel } from "../test/support/kernels.ts";
import { CANDIDATES, type Candidate } from "./candidates.ts";
import { applies, PARTS, type Part } from "./parts.ts";
import { formatTable, type Result, replaceReport } from "./table.ts";

const PAGE = join(import.meta.dir, "../docs/performance.md");

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    skip: { type: "string", default: "" },
    images: { type: "string", default: "" },
    runs: { type: "string", default: "5" },
    page: { type: "boolean", default: false },
  },
});

/** Returns the items with these names, all of them for an empty list. Ends the program if a name is unknown. */
function select<Item extends { readonly name: string }>(items: readonly Item[], names: readonly string[]): Item[] {
  const unknown = names.filter((name) => !items.some((item) => item.name === name));
  if (unknown.length > 0) {
    tell(`unknown: ${unknown.join(", ")}; known: ${items.map(({ name }) => name).join("; ")}`);
    process.exit(2);
  }
  return items.filter(({ name }) => names.length === 0 || names.includes(name));
}

function split(list: string, separator: string): string[] {
  return list.split(separator).filter((name) => name !== "");
}

/** One run of every candidate after the other, so that other work of this host affects all of them. */
async function measure(part: Part, results: readonly Result[], candidates: readonly Candidate[]): Promise<void> {
  const runs = part.isRepeated ? Number(options.runs) : 1;
  for (let count = 1; count <= runs; count += 1) {
    for (const [index, candidate] of candidates.entries()) {
      if (!applies(part, candidate)) continue;
      const figures = await attempt(part, candidate);
      for (const [key, value] of Object.entries(figures)) (results[index]?.figures[key] ?? []).push(value);
      const text = Object.values(figures).map((value) => value?.toFixed(2) ?? "–");
      tell(`${part.name} ${count}/${runs}: ${candidate.name}: ${text.join(", ")}`);
    }
  }
}

/** A candidate that does not boot has no figures; the others go on. */
async function attempt(part: Part, candidate: Candidate): Promise<Readonly<Record<string, number | null>>> {
  try {
    return await part.measure(candidate, part);
  } catch (error) {
    tell(`${part.name}: ${candidate.name}: ${error instanceof Error ? error.message : error}`);
    return Object.fromEntries(part.rows.map(({ key }) => [key, null]));
  }
}

function tell(text: string): void {
  console.error(text);
}

const skipped = select(PARTS, split(options.skip, ","));
const parts = select(PARTS, split(options.only, ",")).filter((part) => options.skip === "" || !skipped.includes(part));
const candidates = select(CANDIDATES, split(options.images, ";"));
const rows = parts.flatMap((part) => part.rows);
const startLoad = loadavg()[0] ?? 0;
if (startLoad > 0.5) tell(`this host is busy (load ${startLoad.toFixed(2)}): the wall-clock figures will be too high`);
const results = candidates.map(({ name, what }): Result => {
  return { name, what, figures: Object.fromEntries(rows.map(({ key }) => [key, []])) };
});
for (const part of parts) await measure(part, results, candidates);

const [qemu = ""] = (await run(["qemu-system-x86_64", "--version"])).split("\n");
const kernel = (await debianKernel("cloud")).version;
const host = { cpu: cpus()[0]?.model ?? "", cpus: cpus().length, startLoad, qemu, kernel };
const date = new Date().toISOString();
const output = join(cacheDirectory("bench"), "results.json");
writeFileSync(output, `${JSON.stringify({ date, host, results }, null, 2)}\n`);
const notes = [
  `${date.slice(0, 10)}, kernel ${kernel}, ${qemu}, ${host.cpu}, ${host.cpus} CPUs, load ${startLoad.toFixed(2)} at the start`,
  parts.some(({ isRepeated }) => isRepeated) ? `; wall clock: median of ${options.runs}.` : ".",
].join("");
const report = [
  formatTable(rows, results),
  "",
  notes,
  "",
  ...results.map(({ name, what }) => `- **${name}**: ${what}`),
];
console.log(report.join("\n"));
console.error(`all figures: ${output}`);
if (options.page) writeFileSync(PAGE, replaceReport(readFileSync(PAGE, "utf8"), report.join("\n")));
