import type { Row } from "./rows.ts";
import { SCENARIOS, type ScenarioName } from "./scenarios.ts";

/** What came of a boot: "✓" it reached its root, "failed", or "" it was not tried. */
export type Mark = "✓" | "failed" | "";

/** The marks of one row, and the version of the kernel that they are of. */
export interface Marks {
  readonly version: string;
  readonly of: Readonly<Record<ScenarioName, Mark>>;
}

export const NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[];
const [BEGIN, END] = ["<!-- begin: make reach -->", "<!-- end -->"];
const HEADS = ["architecture", "release", "flavour", "kernel"] as const;

/** Reads the marks of a row from the table of a page; of a row or a column that it does not have, all are "". */
export function readMarks(page: string, row: Row): Marks {
  const [heads = [], , ...rows] = page
    .slice(...place(page))
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map(cells);
  const own = rows.find(
    ([architecture, release, flavour]) =>
      architecture === row.architecture && release === row.release && flavour === row.flavour,
  );
  const mark = (name: ScenarioName): Mark => {
    const text = own?.[heads.indexOf(name)];
    return text === "✓" || text === "failed" ? text : "";
  };
  const of = Object.fromEntries(NAMES.map((name) => [name, mark(name)])) as Record<ScenarioName, Mark>;
  return { version: own?.[heads.indexOf("kernel")] ?? "", of };
}

/** Returns a page with another table between its two marks. */
export function replaceTable(page: string, rows: readonly (readonly [Row, Marks])[], note: string): string {
  const lines = rows.map(([{ architecture, release, flavour }, { version, of }]) => [
    ...[architecture, release, flavour, version],
    ...NAMES.map((name) => of[name]),
  ]);
  const heads = [...HEADS, ...NAMES];
  const table = [heads, heads.map((_, column) => (column < HEADS.length ? "---" : ":-:")), ...lines];
  const text = table.map((line) => `| ${line.join(" | ")} |`).join("\n");
  const [start, end] = place(page);
  return `${page.slice(0, start)}\n\n${text}\n\n${note}\n\n${page.slice(end)}`;
}

/** Where the text between the marks begins and ends. */
function place(page: string): readonly [number, number] {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page has no lines ${BEGIN} and ${END}`);
  return [start + BEGIN.length, end];
}

function cells(line: string): string[] {
  return line
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}
