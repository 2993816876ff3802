// The cost of further disks, modules and layers, as curves: `bun bench/curves.ts [--only CURVE,…] [--counts N,…] [--output DIR]`.
// CURVE: disks, modules, layers. It counts instructions, so one run is enough; each curve becomes an SVG in docs/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CURVES, type Curve, type Point } from "./growth.ts";
import { lineChart } from "./line-chart.ts";
import { align } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: CURVES.map(({ name }) => name).join(",") },
    counts: { type: "string", default: "0,10,100,500" },
    images: { type: "string", default: "" },
    output: { type: "string", default: join(import.meta.dir, "../docs/curves") },
  },
});

/** Returns the seconds for each count; a tool that does not boot with a count gets no further one. */
async function measure({ name, tools }: Curve, tool: string, counts: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const count of counts) {
    try {
      const ms = await tools[tool]?.(count);
      if (ms === undefined) break;
      points.push({ count, seconds: ms / 1000 });
      console.error(`${count} ${name}: ${tool}: ${ms.toFixed(0)} ms`);
    } catch (error) {
      console.error(`${count} ${name}: ${tool}: ${error instanceof Error ? error.message : error}`);
      break;
    }
  }
  return points;
}

const counts = options.counts.split(",").map(Number);
const images = options.images.split(";").filter((name) => name !== "");
const chosen = options.only.split(",");
mkdirSync(options.output, { recursive: true });
for (const curve of CURVES.filter(({ name }) => chosen.includes(name))) {
  const tools = Object.keys(curve.tools).filter((tool) => images.length === 0 || images.includes(tool));
  const series: { name: string; points: Point[] }[] = [];
  for (const tool of tools) series.push({ name: tool, points: await measure(curve, tool, counts) });
  const file = join(options.output, `${curve.name}.svg`);
  writeFileSync(file, lineChart({ title: curve.title, xLabel: curve.name, yLabel: "seconds (icount)", series }));
  const rows = series.map(({ name, points }) => [
    name,
    ...counts.map((count) => points.find((point) => point.count === count)?.seconds.toFixed(2) ?? "–"),
  ]);
  const head = [curve.name, ...counts.map(String)];
  console.log(`${align([head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows])}\n${file}\n`);
}
