import { printable, wrapLine } from "../../problems/report.ts";
import type { Row } from "./examine.ts";
import { statusOf } from "./finding.ts";
import type { Level } from "./findings.ts";

const MARKS: Readonly<Record<Level | "ok", string>> = { ok: "ok", note: "note", doubtful: "doubt", fatal: "FAIL" };
const VERDICTS = {
  0: "the image boots this machine",
  1: "the image will not boot this machine",
  2: "whether the image boots this machine is doubtful",
} as const;
const MARK_COLUMNS = 7;
const SUBJECT_COLUMNS = 12;

/** Formats the table for a person: each finding with its cure, and the verdict. */
export function formatRows(rows: readonly Row[], columns: number): readonly string[] {
  const lines = rows.flatMap(({ subject, text, findings }) => {
    if (findings.length === 0) return formatRow("ok", subject, text, columns);
    return findings.flatMap((found) => [
      ...formatRow(found.level, subject, found.text, columns),
      ...formatRow(null, "", `cure: ${found.cure}`, columns),
    ]);
  });
  return [...lines, "", VERDICTS[statusOf(rows.flatMap(({ findings }) => findings))]];
}

function formatRow(level: Level | "ok" | null, subject: string, text: string, columns: number): readonly string[] {
  const mark = (level === null ? "" : MARKS[level]).padEnd(MARK_COLUMNS);
  const line = `${mark}${subject.padEnd(SUBJECT_COLUMNS)}${printable(text)}`;
  return wrapLine(line, MARK_COLUMNS + SUBJECT_COLUMNS, columns).map((part) => part.trimEnd());
}

/** Returns the same as plain data for `--json`. */
export function describeRows(rows: readonly Row[]) {
  const findings = rows.flatMap(({ subject, findings: found }) => found.map((each) => ({ subject, ...each })));
  const status = statusOf(findings);
  return {
    verdict: (["boots", "will not boot", "doubtful"] as const)[status],
    checked: rows.map(({ subject, text }) => ({ subject, text })),
    findings,
  };
}
