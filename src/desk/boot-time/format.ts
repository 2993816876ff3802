import type { BootRecord } from "../../log/boot-record.ts";
import { alignColumns, printable, wrapLines } from "../../problems/report.ts";
import { findUnpacking, listSilences, listSpans, type Span, totalMs } from "./spans.ts";

const BAR_COLUMNS = 24;
const MOST_SILENCES = 5;
const MOST_DEVICES = 8;

const ENDS: Readonly<Record<BootRecord["state"], string>> = {
  "handed over": "the real init",
  rescue: "the rescue shell",
  stopped: "the shell of rd.break",
  booting: "now",
};

/** Formats `levain analyze`: each part of a boot with its time and a bar, and what took longest. */
export function formatAnalysis(record: BootRecord): readonly string[] {
  const spans = listSpans(record);
  if (spans.length === 0) return ["No step of this boot has begun."];
  const total = totalMs(spans);
  const row = (span: Span): readonly string[] => {
    const columns = (ms: number) => Math.round((ms / total) * BAR_COLUMNS);
    const bar =
      " ".repeat(columns(span.startMs)) + "#".repeat(Math.max(1, columns(span.endMs) - columns(span.startMs)));
    return [`  ${span.name || "-"}`, seconds(span.endMs - span.startMs), bar];
  };
  const silences = listSilences(record, spans, MOST_SILENCES);
  const unpacking = findUnpacking(record);
  return [
    ...describeBoot(record),
    "",
    ...alignColumns(spans.map(row), [1]),
    "",
    `${seconds(total)} from the start of the kernel to ${ENDS[record.state]}`,
    ...(unpacking === null ? [] : [`${seconds(unpacking.endMs - unpacking.startMs)} of them to unpack the initramfs`]),
    ...formatAnswers(record),
    ...(silences.length === 0 ? [] : ["", "longest without a message:"]),
    ...silences.flatMap(({ span, startMs, endMs, text }) =>
      wrapLines([`  ${seconds(endMs - startMs).padStart(8)}  ${span}: until "${printable(text)}"`]),
    ),
  ];
}

/** The devices that took longest to answer. */
function formatAnswers({ answers }: BootRecord): readonly string[] {
  const slowest = answers
    .toSorted((a, b) => b.answeredMs - b.seenMs - (a.answeredMs - a.seenMs))
    .slice(0, MOST_DEVICES);
  const rows = slowest.map(({ node, seenMs, answeredMs, text }) => [
    ...[`  ${printable(node)}`, seconds(seenMs), seconds(answeredMs - seenMs), printable(text)],
  ]);
  if (rows.length === 0) return [];
  return ["", ...alignColumns([["devices:", "seen", "answered in", ""], ...rows], [1, 2])];
}

/** Formats `levain analyze --compare`: the parts of two boots side by side, and the difference. */
export function formatComparison(before: BootRecord, after: BootRecord): readonly string[] {
  const [a, b] = [listSpans(before), listSpans(after)];
  const time = (spans: readonly Span[], name: string): number =>
    spans.filter((span) => span.name === name).reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const names = [...new Set([...a, ...b].map(({ name }) => name))];
  const row = (name: string, first: number, second: number): readonly string[] => {
    return [`  ${name || "-"}`, seconds(first), seconds(second), difference(second - first)];
  };
  const rows = [
    ["", "before", "after", "difference"],
    ...names.map((name) => row(name, time(a, name), time(b, name))),
    row("total", totalMs(a), totalMs(b)),
  ];
  return [
    ...describeBoot(before).map((line) => `before: ${line}`),
    ...describeBoot(after).map((line) => `after:  ${line}`),
    "",
    ...alignColumns(rows, [1, 2, 3]),
  ];
}

function describeBoot({ levain, kernel, commandLine }: BootRecord): readonly string[] {
  const lines = [`levain ${levain}${kernel === "" ? "" : ` on Linux ${kernel}`}`, commandLine].filter(Boolean);
  return wrapLines(lines.map(printable));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function difference(ms: number): string {
  const text = seconds(Math.abs(ms));
  return text === seconds(0) ? text : `${ms < 0 ? "-" : "+"}${text}`;
}
