import type { BootRecord } from "../../log/boot-record.ts";
import { findUnpacking, listSilences, listSpans, type Span, totalMs } from "../boot-time/spans.ts";
import { document, element, shorten, text } from "./svg.ts";

const MARGIN = 20;
const ROW = { height: 26, bar: 18 };
const NAME_WIDTH = 90;
const CHART_WIDTH = 560;
const NOTE_WIDTH = 330;
const MOST_NAME = 13;
const MOST_NOTE = 48;
/** Of hundreds of disks, those that took longest. */
const MOST_DEVICES = 16;
/** Longer than this, a silence is a wait that a person notices. */
const WAIT_MS = 200;

// Okabe and Ito's colours, as those of the stacks.
const COLOURS = {
  early: { fill: "#e5e5e5", text: "the kernel, and the start of the runtime" },
  unpacking: { fill: "#c9b8d8", text: "the kernel unpacks the initramfs, and starts drivers meanwhile" },
  step: { fill: "#9fd5f5", text: "a step of the boot" },
  wait: { fill: "#f5c77e", text: "nothing was said for 0.2 s: a wait, or one long task" },
  between: { fill: "#ffffff", text: "between two steps" },
  device: { fill: "#8fd3b6", text: "a block device, from when it was seen until it had answered" },
} as const;
type Kind = keyof typeof COLOURS;

interface Bar {
  readonly kind: Kind;
  readonly startMs: number;
  readonly endMs: number;
}

/** A line of the chart: its bars, the first of them below the others, and what is written beside it. */
interface Row {
  readonly name: string;
  readonly note: string;
  readonly bars: readonly Bar[];
}

/** Draws a boot as an SVG: a row for each part, then one for each device, the time to the right. */
export function drawBoot(record: BootRecord): string {
  const spans = listSpans(record);
  const total = Math.max(1, totalMs(spans));
  const left = MARGIN + NAME_WIDTH;
  const at = (ms: number): number => Math.round(left + (Math.min(ms, total) / total) * CHART_WIDTH);
  const rows = [...listParts(record, spans), ...listDevices(record)];
  const used = new Set(rows.flatMap(({ bars }) => bars.map(({ kind }) => kind)));
  const kinds = (Object.keys(COLOURS) as Kind[]).filter((kind) => used.has(kind));
  const bottom = MARGIN + rows.length * ROW.height + 24;
  const size = { width: left + CHART_WIDTH + NOTE_WIDTH + MARGIN, height: bottom + kinds.length * 20 + MARGIN };
  const drawn = rows.flatMap(({ name, note, bars }, index) => {
    const y = MARGIN + index * ROW.height;
    return [
      text(MARGIN, y + 14, shorten(name, MOST_NAME), { "font-size": 14 }),
      ...bars.map(({ kind, startMs, endMs }) => {
        const width = Math.max(1, at(endMs) - at(startMs));
        const { fill } = COLOURS[kind];
        return element("rect", {
          x: at(startMs),
          y,
          width,
          height: ROW.bar,
          fill,
          stroke: "#444",
          "stroke-width": 0.5,
        });
      }),
      text(left + CHART_WIDTH + 8, y + 14, note, { "font-size": 11 }),
    ];
  });
  const title = spans.map(({ name, startMs, endMs }) => `${name || "-"} ${seconds(endMs - startMs)}`).join(", ");
  return document(size, title, [...drawSeconds(total, at, bottom - 20), ...drawn, ...drawLegend(kinds, bottom)]);
}

function listParts(record: BootRecord, spans: readonly Span[]): readonly Row[] {
  const waits = listSilences(record, spans, Number.POSITIVE_INFINITY).filter((s) => s.endMs - s.startMs >= WAIT_MS);
  const unpacking = findUnpacking(record);
  return spans.map(({ name, kind, startMs, endMs, text: note }, index) => ({
    name,
    note: `${seconds(endMs - startMs)}  ${shorten(note, MOST_NOTE)}`,
    bars: [
      { kind, startMs, endMs },
      ...(index === 0 && unpacking !== null ? [{ kind: "unpacking" as const, ...unpacking }] : []),
      ...waits
        .filter((wait) => kind === "step" && wait.span === name)
        .map((wait): Bar => ({ kind: "wait", startMs: wait.startMs, endMs: wait.endMs })),
    ],
  }));
}

function listDevices({ answers }: BootRecord): readonly Row[] {
  return answers
    .toSorted((a, b) => b.answeredMs - b.seenMs - (a.answeredMs - a.seenMs))
    .slice(0, MOST_DEVICES)
    .toSorted((a, b) => a.seenMs - b.seenMs)
    .map(({ node, seenMs, answeredMs, text: content }) => ({
      name: node.replace(/^\/dev\//, ""),
      note: `${seconds(answeredMs - seenMs)}  ${shorten(content, MOST_NOTE)}`,
      bars: [{ kind: "device", startMs: seenMs, endMs: answeredMs }],
    }));
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

function drawLegend(kinds: readonly Kind[], top: number): readonly string[] {
  return kinds.flatMap((kind, index) => {
    const y = top + index * 20;
    const { fill, text: meaning } = COLOURS[kind];
    return [
      element("rect", { x: MARGIN, y, width: 14, height: 14, fill, stroke: "#444" }),
      text(MARGIN + 22, y + 12, meaning, { "font-size": 12 }),
    ];
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
