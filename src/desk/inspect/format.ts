import { printable } from "../../problems/report.ts";
import { formatBytes, formatMib } from "../../problems/size.ts";
import { describeFallbacks } from "../image/kernel-fallback.ts";
import type { Findings, KernelModules } from "./findings.ts";
import type { Inspection } from "./inspection.ts";
import type { Segment } from "./segments.ts";

/** An image as lines for a person: its segments, what is in it, and what levain would make of it. */
export function formatInspection(inspection: Inspection): readonly string[] {
  const { file, size, segments, tree, problem, findings } = inspection;
  const problems = [
    ...segments.flatMap(({ problems: own }, index) => own.map((text) => `segment ${index + 1}: ${text}`)),
    ...tree.problems,
    ...(problem === null ? [] : [`the rest cannot be read: ${[problem.message, ...problem.seen].join(", ")}`]),
  ];
  return [
    `${file}: ${formatBytes(size)}, ${segments.length} ${segments.length === 1 ? "segment" : "segments"}`,
    ...alignColumns([
      ["", "offset", "size", "compression", "format", "members", "unpacked"],
      ...segments.map((segment, index) => segmentRow(segment, index, findings)),
    ]),
    "",
    ...describeFindings(inspection).map(([name, text]) => `${name.padEnd(10)}${text}`),
    ...problems.map((text) => `${"problem".padEnd(10)}${text}`),
  ].map(printable);
}

function segmentRow(segment: Segment, index: number, { microcode }: Findings): readonly string[] {
  const { compression, offset, size, unpackedSize, archives } = segment;
  const count = archives.reduce((sum, { members }) => sum + members.length, 0);
  const isEarly = archives.some(({ members }) => members.some(({ name }) => name.includes("kernel/x86/microcode")));
  return [
    `  ${index + 1}`,
    `${offset}`,
    `${size}`,
    compression,
    [...new Set(archives.map(({ format }) => format))].join(", ") || "-",
    `${count}`,
    `${unpackedSize}${isEarly ? `  early microcode: ${microcode.join(", ")}` : ""}`,
  ];
}

const NUMBER_COLUMNS = new Set([1, 2, 5]);

function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  const pad = (cell: string, column: number) =>
    NUMBER_COLUMNS.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}

const INITS: Readonly<Record<NonNullable<Findings["init"]>["kind"], string>> = {
  levain: "levain",
  systemd: "systemd",
  busybox: "BusyBox",
  script: "a shell script",
  program: "a program",
};

function describeFindings({ findings, passedOver, memory }: Inspection): readonly (readonly [string, string])[] {
  const { maker, init, kernels, busybox, shell, checkers, firmwareFiles, contentBytes } = findings;
  const fallback = describeFallbacks(findings.fallbacks);
  const found = init === null ? "none at /init: the kernel would look for root= itself" : INITS[init.kind];
  return [
    ["made by", maker ?? "nobody who left a sign"],
    ["init", `${found}${init === null || init.path === "/init" ? "" : ` (/init is ${init.path})`}`],
    ["modules", kernels.length === 0 ? "none" : kernels.map(describeKernel).join("; ")],
    ["shell", busybox === null ? `${shell ?? "none"}, without BusyBox` : `BusyBox at ${busybox}`],
    ...(fallback === null ? [] : [["fallback", fallback] as const]),
    ["fsck", checkers.join(", ") || "none"],
    [
      "content",
      `${formatBytes(contentBytes)} in files${firmwareFiles === 0 ? "" : `, ${firmwareFiles} of them firmware`}`,
    ],
    ...(init?.kind === "levain"
      ? [["memory", `${formatMib(memory.withRoot)} to boot, ${formatMib(memory.withoutRoot)} without root=`] as const]
      : describeGraft(findings, passedOver)),
  ];
}

/** What an exchange of the init keeps, and what it does not. */
function describeGraft(findings: Findings, passedOver: readonly string[]): readonly (readonly [string, string])[] {
  const { kernels, busybox, shell, checkers } = findings;
  const kept = [
    ...(kernels.length > 0 ? ["the modules"] : []),
    ...(checkers.length > 0 ? ["fsck"] : []),
    ...(busybox !== null || shell !== null ? ["the shell"] : []),
  ];
  const uses = kept.length === 0 ? "would find nothing here that it uses" : `would use ${kept.join(", ")}`;
  const passes = passedOver.length === 0 ? "" : `; it passes over ${passedOver.join(", ")}`;
  return [
    ["levain", `as its /init ${uses}${passes}`],
    ["", "(levain graft IMAGE makes an image with this init exchanged)"],
  ];
}

function describeKernel({ version, count, index }: KernelModules): string {
  return `${count} for ${version ?? "one kernel"}${index === "none" ? ", without depmod's files: levain asks each of them" : ""}`;
}
