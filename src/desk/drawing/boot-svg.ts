import type { BootRecord } from "../../log/boot-record.ts";
import { listSilences, listSpans, type Span, totalMs } from "../boot-time/spans.ts";
import { document, element, shorten, text } from "./svg.ts";

const MARGIN = 20;
const ROW = { height: 26, bar: 18 };
const NAME_WIDTH = 90;
const CHART_WIDTH = 560;
const NOTE_WIDTH = 330;
const MOST_NOTE = 48;
/** Longer than this, a silence is a wait that a person notices. */
const WAIT_MS = 200;

// Okabe and Ito's colours, as those of the stacks.
const COLOURS: Readonly<Record<Span["kind"] | "wait", { readonly fill: string; readonly text: string }>> = {
  early: { fill: "#e5e5e5", text: "the kernel, and the start of the runtime" },
  step: { fill: "#9fd5f5", text: "a step of the boot" },
  wait: { fill: "#f5c77e", text: "nothing was said for 0.2 s: a wait, or one long task" },
  between: { fill: "#ffffff", text: "between two steps" },
};

/** Draws a boot as an SVG: a row for each part, the time to the right. */
export function drawBoot(record: BootRecord): string {
  const spans = listSpans(record);
  const total = Math.max(1, totalMs(spans));
  const left = MARGIN + NAME_WIDTH;
  const at = (ms: number): number => Math.round(left + (ms / total) * CHART_WIDTH);
  const waits = listSilences(record, spans, Number.POSITIVE_INFINITY).filter((s) => s.endMs - s.startMs >= WAIT_MS);
  const used = (Object.keys(COLOURS) as (keyof typeof COLOURS)[]).filter((kind) =>
    kind === "wait" ? waits.length > 0 : spans.some((span) => span.kind === kind),
  );
  const bottom = MARGIN + spans.length * ROW.height + 24;
  const size = { width: left + CHART_WIDTH + NOTE_WIDTH + MARGIN, height: bottom + used.length * 20 + MARGIN };
  const bar = (startMs: number, endMs: number, y: number, fill: string): string =>
    element("rect", {
      ...{ x: at(startMs), y, width: Math.max(1, at(endMs) - at(startMs)), height: ROW.bar },
      ...{ fill, stroke: "#444", "stroke-width": 0.5 },
    });
  const rows = spans.flatMap(({ name, kind, startMs, endMs, text: note }, index) => {
    const y = MARGIN + index * ROW.height;
    const own = kind === "step" ? waits.filter((wait) => wait.span === name) : [];
    return [
      text(MARGIN, y + 14, name, { "font-size": 14 }),
      bar(startMs, endMs, y, COLOURS[kind].fill),
      ...own.map((wait) => bar(wait.startMs, wait.endMs, y, COLOURS.wait.fill)),
      text(left + CHART_WIDTH + 8, y + 14, `${seconds(endMs - startMs)}  ${shorten(note, MOST_NOTE)}`, {
        "font-size": 11,
      }),
    ];
  });
  const title = spans.map(({ name, startMs, endMs }) => `${name || "-"} ${seconds(endMs - startMs)}`).join(", ");
  return document(size, title, [...drawSeconds(total, at, bottom - 20), ...rows, ...drawLegend(used, bottom)]);
}

/** The second, or so many, in so few lines that their figures stand apart. */
function drawSeconds(total: number, at: (ms: number) => number, bottom: number): readonly string[] {
  const step = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000].find((ms) => total / ms <= 12) ?? total;
  const marks = Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
  return marks.flatMap((ms) => [
    element("line", { x1: at(ms), y1: MARGIN - 6, x2: at(ms), y2: bottom, stroke: "#ccc" }),
    text(at(ms), bottom + 12, `${ms / 1000} s`, { "font-size": 11, "text-anchor": "middle", fill: "#555" }),
  ]);
}

function drawLegend(kinds: readonly (keyof typeof COLOURS)[], top: number): readonly string[] {
  return kinds.flatMap((kind, index) => [
    element("rect", {
      x: MARGIN,
      y: top + index * 20,
      width: 14,
      height: 14,
      fill: COLOURS[kind].fill,
      stroke: "#444",
    }),
    text(MARGIN + 22, top + index * 20 + 12, COLOURS[kind].text, { "font-size": 12 }),
  ]);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
