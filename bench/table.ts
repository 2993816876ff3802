import type { Timing } from "./guest.ts";

/** The measurements of one initramfs; skipped ones are empty or null. */
export interface Result {
  readonly name: string;
  readonly what: string;
  readonly imageBytes: number;
  /** One per run, by the wall clock. */
  readonly wall: Timing[];
  /** By QEMU's count of instructions. */
  icount: Timing | null;
  smallestMemoryMib: number | null;
}

const COLUMNS = [
  ["Run /init → handover", "wall ms"],
  ["", "ratio"],
  ["", "icount ms"],
  ["", "ratio"],
  ["kernel → handover", "wall ms"],
  ["", "icount ms"],
  ["image", "MiB"],
  ["memory", "MiB"],
] as const;

/** Formats a Markdown table; ratios are relative to the row `reference`. */
export function formatTable(results: readonly Result[], reference: string): string {
  const base = results.find(({ name }) => name === reference);
  const rows = results.map((result) => {
    const wallMs = median(result.wall.map(({ initMs }) => initMs));
    const icountMs = result.icount?.initMs ?? null;
    const baseWallMs = median(base?.wall.map(({ initMs }) => initMs) ?? []);
    return [
      result.name,
      whole(wallMs),
      ratio(wallMs, baseWallMs),
      whole(icountMs),
      ratio(icountMs, base?.icount?.initMs ?? null),
      whole(median(result.wall.map(totalMs))),
      whole(result.icount === null ? null : totalMs(result.icount)),
      (result.imageBytes / (1 << 20)).toFixed(1),
      whole(result.smallestMemoryMib),
    ];
  });
  const head = ["", ...COLUMNS.map(([group, unit]) => `${group} ${unit}`.trim())];
  return align([head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]);
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

function totalMs({ kernelMs, initMs }: Timing): number {
  return kernelMs + initMs;
}

function whole(value: number | null): string {
  return value === null ? "–" : value.toFixed(0);
}

function ratio(value: number | null, base: number | null): string {
  return value === null || base === null ? "–" : (value / base).toFixed(2);
}
