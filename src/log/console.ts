import { type ConsolaInstance, createConsola } from "consola/core";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { printable, timeLine, wrapLine } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { type BootRecord, keepAnswer, keepMessage, type StepRecord } from "./boot-record.ts";
import { listReportConsoles } from "./consoles.ts";
import { createKernelConsole, type KernelConsole } from "./kernel-console.ts";

/** The messages of the boot: to the console, the kernel log and the record. */
export interface Console extends Voice {
  /** The kernel's messages on the same console. */
  readonly kernel: KernelConsole;
  /** Prints a plain line. */
  say(text: string): void;
  /** Prints a completed step: its name, its result and its time. */
  step(step: StepRecord): void;
  /** Prints lines that must be seen: on every terminal at which a person may sit, also with `quiet`. */
  trouble(lines: readonly string[]): void;
  /** Applies the plan's settings from here on. */
  obey(talk: BootPlan["talk"]): void;
}

/** syslog(2) levels for consola's types. */
const SYSLOG_LEVELS: Readonly<Record<string, number>> = { error: 3, warn: 4, log: 5, info: 6, debug: 7 };
/** The highest syslog level that is still shown on the console. */
const SHOWN_LEVELS = { quiet: 5, normal: 6, debug: 7 } as const;
const ERROR = 3;

const NAME_COLUMNS = 10;

/** Creates a console that also writes to the kernel log and the record; they get every message, also with `quiet`. */
export function createConsole(machine: Machine, record: BootRecord): Console {
  const kernel = createKernelConsole(machine);
  let talk: BootPlan["talk"] = { level: "normal", log: "all" };
  const consola: ConsolaInstance = createConsola({
    level: 3, // info; consola's own numbers
    throttle: 0, // consola would delay repeated lines by a timer, and lose them at the end
    reporters: [{ log: ({ type, args }) => write(SYSLOG_LEVELS[type] ?? 6, ...toTexts(args)) }],
  });
  /** Puts a line into the record and the kernel log. */
  function keep(level: number, line: string): void {
    keepMessage(record, { atMs: machine.nowMs(), level, text: line });
    if (talk.log !== "console") machine.writeKernelLog(level, line);
  }
  function write(level: number, text: string, shown: string): void {
    for (const line of text.split("\n")) keep(level, line);
    const isLogged = talk.log !== "console";
    const isShown = level <= SHOWN_LEVELS[talk.level] && (talk.log !== "kmsg" || level <= ERROR);
    if (isShown && !(isLogged && kernel.shows(level))) machine.writeConsole(`${shown}\n`);
  }
  return {
    kernel,
    say: (text) => consola.info(text),
    step: (step) => consola.info(...formatStep(step)),
    trouble(lines) {
      const texts = lines.map(printable);
      for (const text of texts) keep(ERROR, text);
      const shownByKernel = talk.log !== "console" && kernel.shows(ERROR);
      for (const node of listReportConsoles(machine, { shownByKernel })) {
        machine.writeConsole(["", ...texts, ""].join("\n"), node ?? undefined);
      }
    },
    warn: (text) => consola.warn(...columns("warning", text)),
    // Not wrapped in vain: a boot with hundreds of disks has nine uevents for each.
    debug: (text) => (talk.level === "debug" ? consola.debug(...columns("debug", text)) : undefined),
    progress: (text, { isUrgent = false } = {}) => consola[isUrgent ? "log" : "info"](...columns("...", text)),
    answered: (device) => keepAnswer(record, device),
    obey(wish) {
      talk = wish;
      consola.level = wish.level === "debug" ? 4 : 3;
    },
  };
}

/** Returns the two arguments of a consola call: the text for the log, and how a terminal shows it. Callers make names from outside printable; this is the safety net. */
function toTexts(args: readonly unknown[]): [text: string, shown: string] {
  const [text = "", shown = text] = args.map((arg) => String(arg).split("\n").map(printable).join("\n"));
  return [text, shown];
}

/** Returns a named line, and the same wrapped for a terminal. */
function columns(name: string, text: string): [line: string, shown: string] {
  const line = `  ${name.padEnd(NAME_COLUMNS)}${text}`;
  const wrapped = line.split("\n").flatMap((part) => wrapLine(part, NAME_COLUMNS + 2));
  return [line, wrapped.join("\n")];
}

/** `  root      /dev/vda1 vfat "FLASH"                       3 ms`. */
function formatStep({ name, text, startMs, endMs }: StepRecord): [line: string, shown: string] {
  const time = `${Math.max(0, Math.round((endMs ?? 0) - (startMs ?? 0)))} ms`;
  const [line] = columns(name, text);
  return [`${line} ${time}`, timeLine(line, NAME_COLUMNS + 2, time)];
}
