import type { Row } from "./parts.ts";

/** The measurements of one candidate. */
export interface Result {
  readonly name: string;
  readonly what: string;
  /** By the key of the row, one for each run; null if it did not boot. */
  readonly figures: Readonly<Record<string, (number | null)[]>>;
}

/** Formats the medians as a Markdown table: a row for each measurement with levain's aim, a column for each candidate. */
export function formatTable(rows: readonly Row[], results: readonly Result[]): string {
  const head = ["", "aim", ...results.map(({ name }) => name)];
  const lines = rows.map(({ key, title, digits, aim }) => [
    title,
    aim === "" ? "" : aim.replace(/^(?=\d)/, "≤ "),
    ...results.map(({ figures }) => formatFigure(figures[key] ?? [], digits)),
  ]);
  return align([head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...lines]);
}

function formatFigure(values: readonly (number | null)[], digits: number): string {
  const known = values.filter((value) => value !== null);
  const value = median(known);
  if (value === null) return values.length === 0 ? "" : "does not boot";
  return value.toFixed(digits);
}

const [BEGIN, END] = ["<!-- begin: make bench -->", "<!-- end -->"];

/** Returns a page with another report between its two marks. Throws if it has no marks. */
export function replaceReport(page: string, report: string): string {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page has no lines ${BEGIN} and ${END}`);
  return `${page.slice(0, start + BEGIN.length)}\n\n${report}\n\n${page.slice(end)}`;
}

/** Formats rows as a Markdown table; the second row is the rule. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      );
      return `| ${cells.join(" | ")} |`;
    })
    .join("\n");
}

/** Returns the median; null for an empty list. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  return high === undefined || low === undefined ? null : (high + low) / 2;
}
