import { type ConsolaInstance, createConsola } from "consola/core";
import type { BootPlan } from "./config/plan.ts";
import type { BootRecord, StepRecord } from "./journal.ts";
import type { Machine } from "./machine/machine.ts";
import type { Voice } from "./voice.ts";

/** What the boot tells the person, and at the same time the kernel's log and the record. */
export interface Console extends Voice {
  /** A plain line of the narration. */
  say(text: string): void;
  /** A step that is done: what, to what, how long. */
  step(step: StepRecord): void;
  /** Lines that must be seen, also with `quiet`. */
  trouble(lines: readonly string[]): void;
  /** From here on as the plan says. */
  obey(talk: BootPlan["talk"]): void;
}

/** syslog(2) levels for consola's types. */
const SYSLOG_LEVELS: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, log: 6, debug: 7 };
/** consola's own levels: what is still printed. */
const CONSOLA_LEVELS = { quiet: 1, normal: 3, debug: 4 } as const;

const NAME_COLUMNS = 10;
const TIME_COLUMN = 70;

/** A console that also writes to /dev/kmsg and into the record. Until `obey` it keeps the narration back, for the plan may say `quiet`. */
export function createConsole(machine: Machine, record: BootRecord): Console {
  let log: BootPlan["talk"]["log"] = "all";
  const consola: ConsolaInstance = createConsola({
    level: CONSOLA_LEVELS.normal,
    throttle: 0, // it would hold lines back on a timer, and lose them at the end
    reporters: [{ log: ({ type, args }) => write(type, String(args[0])) }],
  });
  function write(type: string, text: string): void {
    const level = SYSLOG_LEVELS[type] ?? 6;
    record.messages.push({ atMs: machine.nowMs(), level, text });
    if (log !== "console") machine.writeKernelLog(level, text);
    if (log !== "kmsg" || level <= 3) machine.writeConsole(`${text}\n`);
  }
  return {
    say: (text) => consola.info(text),
    step: (step) => consola.info(formatStep(step)),
    trouble: (lines) => lines.forEach((line) => void consola.error(line)),
    warn: (text) => consola.warn(column("warning", text)),
    debug: (text) => consola.debug(column("debug", text)),
    progress: (text) => consola.info(column("...", text)),
    obey: (talk) => {
      log = talk.log;
      consola.level = CONSOLA_LEVELS[talk.level];
    },
  };
}

function column(name: string, text: string): string {
  return `  ${name.padEnd(NAME_COLUMNS)}${text}`;
}

/** `  root      /dev/vda1 vfat "FLASH"                       3 ms`. */
function formatStep({ name, text, startMs, endMs }: StepRecord): string {
  const ms = Math.max(0, Math.round((endMs ?? 0) - (startMs ?? 0)));
  return `${column(name, text).padEnd(TIME_COLUMN)} ${String(ms).padStart(5)} ms`;
}
