import * as v from "valibot";
import { readText } from "../../devices/block-devices.ts";
import { type BootRecord, JOURNAL_FILE } from "../../log/journal.ts";
import type { Machine } from "../../machine/machine.ts";
import { STEP_NAMES } from "../../parameters/step-names.ts";
import { BootError } from "../../problems/errors.ts";

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

/** The record of the boot that is going on or has been; null where there is none. Throws BootError where it is damaged or another version's. */
export function readRecord(machine: Machine): BootRecord | null {
  if (machine.stat(JOURNAL_FILE) === null) return null;
  const result = v.safeParse(RECORD, parseJson(readText(machine, JOURNAL_FILE)));
  if (result.success) return result.output;
  throw new BootError(`${JOURNAL_FILE} is damaged, or was written by another version of levain`, {
    hint: "the kernel's log has every line of the boot, too: dmesg",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
