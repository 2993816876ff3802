import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeMachine } from "./fake-machine.ts";

/** Calls that never throw, as the interface says, and the last one of all. */
const NEVER_REFUSED = [
  ...[
    "nowMs",
    "sleepMs",
    "writeConsole",
    "writeKernelLog",
    "kernelLogMark",
    "kernelLogSince",
    "readKernelLog",
    "release",
  ],
  ...["handOver", "power", "isBoot", "closeTerminals"],
];
/** What is no call of the machine but a test's own. */
const TESTS_OWN = ["journal", "console", "kernelLog", "refuse", "plugIn", "pullOut", "overflowEvents", "say"];

/** A call that a boot made. */
export interface RecordedCall {
  /** Its name and the texts that it was given. */
  readonly text: string;
  /** Whether none before, in this boot or one that was recorded earlier, had the same text, came from the same lines nearby and in the same step of the boot. */
  readonly isNew: boolean;
  /** Whether none before had the same text and came from the same few lines: those that call, and those that handle an error. */
  readonly isNewNearby: boolean;
}

/** What tells calls apart that were recorded. */
interface KnownCalls {
  readonly inSteps: Set<string>;
  readonly nearby: Set<string>;
}

/** Boots with one call refused, and boots with all calls recorded; those that were recorded before are not new. */
export function refusalBoots<Options, Boot extends object>(
  boot: (options: Options, before: (machine: FakeMachine) => void) => Boot,
) {
  const known: KnownCalls = { inSteps: new Set(), nearby: new Set() };
  return {
    refused: (options: Options, number: number, code: string): Boot =>
      boot(options, (machine) => void refuseCall(machine, number, code)),
    recorded(options: Options): Boot & { readonly calls: readonly RecordedCall[] } {
      let calls: readonly RecordedCall[] = [];
      const booted = boot(options, (machine) => {
        calls = recordCalls(machine, known);
      });
      return { ...booted, calls };
    },
    /** Boots once; what this boot calls is not new nearby any more. For boots that another test refuses calls in. */
    recordNearby: (options: Options): Boot =>
      boot(options, (machine) => void recordCalls(machine, { ...known, inSteps: new Set() })),
  };
}

/** Counts the calls of a machine and refuses the one with this number; returns the list of all. */
export function refuseCall(machine: FakeMachine, number: number | null, code: string): string[] {
  const calls: string[] = [];
  watchCalls(machine, (name, given) => {
    calls.push(describeCall(name, given));
    if (calls.length - 1 === number) throw new SyscallError(name, code, subjectOf(given[0] ?? name));
  });
  return calls;
}

/**
 * Returns the list of all calls of a machine, as `refuseCall` counts them. `known` has those of the boots before, and gets the new
 * ones: boots of different storage begin and end with the same calls, and ask the same again while they wait.
 */
export function recordCalls(machine: FakeMachine, known: KnownCalls): RecordedCall[] {
  const calls: RecordedCall[] = [];
  watchCalls(machine, (name, given) => {
    const text = describeCall(name, given);
    const lines = findOrigin();
    const step = [...lines.slice(0, LINES_IN_STEP), ...lines.filter((line) => line.startsWith("src/boot/"))];
    calls.push({
      text,
      isNew: addKnown(known.inSteps, [text, ...step].join(" ")),
      isNewNearby: addKnown(known.nearby, [text, ...lines.slice(0, NEAR_LINES)].join(" ")),
    });
  });
  return calls;
}

function addKnown(known: Set<string>, key: string): boolean {
  const sizeBefore = known.size;
  return known.add(key).size > sizeBefore;
}

function watchCalls(machine: FakeMachine, onCall: (name: string, given: readonly unknown[]) => void): void {
  for (const [name, call] of Object.entries(machine)) {
    if (typeof call !== "function" || NEVER_REFUSED.includes(name) || TESTS_OWN.includes(name)) continue;
    const watched = (...given: unknown[]) => {
      onCall(name, given);
      return call(...given);
    };
    Object.assign(machine, { [name]: watched });
  }
}

function describeCall(name: string, given: readonly unknown[]): string {
  return `${name} ${given.filter((one) => typeof one === "string").join(" ")}`;
}

const STACK_FRAMES = 200;
/** The lines that call and handle an error; and those of a search in the search, which differ from those of the search. */
const NEAR_LINES = 4;
const LINES_IN_STEP = 6;
const SOURCE_LINE = /\bsrc\/\S+:\d+:\d+/g;

/** The lines of src/ that led to a call, the last first. */
function findOrigin(): readonly string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  const { stack = "" } = new Error("where it comes from");
  Error.stackTraceLimit = limit;
  return stack.match(SOURCE_LINE) ?? [];
}

function subjectOf(given: unknown): string {
  if (Array.isArray(given)) return given.join(" ");
  if (typeof given !== "object" || given === null) return String(given);
  return String(Object.entries(given).find(([name]) => name === "target" || name === "file")?.[1]);
}
