import * as v from "valibot";
import { type BootRecord, RECORD_FILE } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { readText } from "../../machine/small-files.ts";
import { STEP_NAMES } from "../../parameters/step-names.ts";
import { problem } from "../../problems/problem.ts";

const MILLISECONDS = v.pipe(v.number(), v.minValue(0));

const STEP = v.object({
  name: v.picklist(STEP_NAMES),
  startMs: v.nullable(MILLISECONDS),
  endMs: v.nullable(MILLISECONDS),
  outcome: v.picklist(["waiting", "running", "done", "failed"]),
  text: v.string(),
});

const RECORD = v.object({
  version: v.literal(1),
  levain: v.string(),
  kernel: v.string(),
  commandLine: v.string(),
  state: v.picklist(["booting", "stopped", "rescue", "handed over"]),
  steps: v.array(STEP),
  messages: v.array(v.object({ atMs: MILLISECONDS, level: v.number(), text: v.string() })),
  failure: v.array(v.string()),
});

/** Reads the record of this boot; null if there is none. Throws BootError if it is damaged or was written by another version. */
export function readRecord(machine: Machine): BootRecord | null {
  if (machine.stat(RECORD_FILE) === null) return null;
  const result = v.safeParse(RECORD, parseJson(readText(machine, RECORD_FILE)));
  if (result.success) return result.output;
  throw problem("boot-record-damaged", { path: RECORD_FILE });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
