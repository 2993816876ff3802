import { type BootRecord, formatKernelLog, RECORD_FILE, readRecord } from "../../../log/boot-record.ts";
import type { Machine } from "../../../machine/machine.ts";
import { SyscallError } from "../../../problems/errors.ts";
import { formatAnalysis, formatComparison } from "../../boot-time/format.ts";
import { findUnpacking, listSilences, listSpans, totalMs } from "../../boot-time/spans.ts";
import { argument, type CommandWords, command, flag, option, UsageError } from "../../command-line.ts";
import { drawBoot } from "../../drawing/boot-svg.ts";
import { writeLine } from "../../standard-output.ts";

/** `levain analyze`. */
export const analyzeCommand = command({
  name: "analyze",
  description: "Show what the time of a boot was spent on",
  args: {
    file: argument(`The record of a boot (default: ${RECORD_FILE}, that of this boot)`, false),
    compare: option("FILE", "Show the difference to this record of another boot"),
    svg: flag("Draw the boot as an SVG"),
    json: flag("Print JSON"),
  },
  examples: {
    "levain analyze": "What this boot took, and where it waited",
    "levain analyze --svg > boot.svg": "Draw it",
    "levain analyze --compare before.json": "What a change gained (before.json: a copy of /run/levain/boot.json)",
  },
  run: (line, machine) => {
    const [path = RECORD_FILE] = line.words;
    if (path === RECORD_FILE && machine.stat(path) === null) {
      console.error("levain did not boot this system");
      return 1;
    }
    writeLine(format(line, machine, read(machine, path)).join("\n"));
    return 0;
  },
});

function format(line: CommandWords, machine: Machine, record: BootRecord): readonly string[] {
  const other = line.one("compare");
  const asked = ["compare", "svg", "json"].filter((name) => line.has(name)).map((name) => `--${name}`);
  if (asked.length > 1) throw new UsageError(`Use either ${asked.join(" or ")}`);
  if (other !== null) return formatComparison(read(machine, other), record);
  if (line.has("svg")) return [drawBoot(record).trimEnd()];
  if (!line.has("json")) return formatAnalysis(record);
  const spans = listSpans(record);
  const silences = listSilences(record, spans, Number.POSITIVE_INFINITY);
  const { answers } = record;
  return [
    JSON.stringify({ totalMs: totalMs(spans), spans, unpacking: findUnpacking(record), answers, silences }, null, 2),
  ];
}

function read(machine: Machine, path: string): BootRecord {
  const record = readRecord(machine, path);
  if (record === null) throw new SyscallError("open", "ENOENT", path);
  if (path !== RECORD_FILE) return record;
  return { ...record, kernelLog: [...formatKernelLog(machine.readKernelLog())] };
}
