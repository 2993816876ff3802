import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeMachine } from "./fake-machine.ts";

/** Calls that never throw, as the interface says, and the last one of all. */
const NEVER_REFUSED = [
  ...["nowMs", "sleepMs", "writeConsole", "writeKernelLog", "kernelLogMark", "kernelLogSince", "release"],
  ...["handOver", "power", "isBoot", "closeTerminals"],
];
/** What is no call of the machine but a test's own. */
const TESTS_OWN = ["journal", "console", "kernelLog", "refuse", "plugIn", "pullOut", "overflowEvents", "say"];

/** Counts the calls of a machine and refuses the one with this number; returns the list of all. */
export function refuseCall(machine: FakeMachine, number: number | null, code: string): string[] {
  const calls: string[] = [];
  for (const [name, call] of Object.entries(machine)) {
    if (typeof call !== "function" || NEVER_REFUSED.includes(name) || TESTS_OWN.includes(name)) continue;
    const watched = (...given: unknown[]) => {
      calls.push(`${name} ${given.filter((one) => typeof one === "string").join(" ")}`);
      if (calls.length - 1 === number) throw new SyscallError(name, code, subjectOf(given[0] ?? name));
      return call(...given);
    };
    Object.assign(machine, { [name]: watched });
  }
  return calls;
}

function subjectOf(given: unknown): string {
  if (Array.isArray(given)) return given.join(" ");
  if (typeof given !== "object" || given === null) return String(given);
  return String(Object.entries(given).find(([name]) => name === "target" || name === "file")?.[1]);
}
