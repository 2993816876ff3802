import type { Machine } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { describeCall } from "./fake-journal.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { Ended } from "./fake-processes.ts";

/** What a refusal applies to: a part of the call's line in the journal. */
export interface Refusal {
  readonly call: keyof Machine;
  readonly matches: string | RegExp;
  readonly code: string;
  /** How often; always where not given. */
  times: number;
  /** What the kernel says to it in its log. */
  readonly kernelLog: readonly string[];
}

/** The calls of a machine that are not made of others. */
type Calls = Omit<Machine, "mountApart">;

interface Watch {
  readonly journal: string[];
  readonly refusals: readonly Refusal[];
  readonly kernel: FakeKernel;
  readonly ended: () => Ended | null;
}

/** The same calls, but written down, and refused where a test wants that. */
export function watchCalls(calls: Calls, watch: Watch): Calls {
  const watched = Object.entries(calls).map(([name, call]) => [
    name,
    typeof call === "function" ? watchCall(name, call, calls, watch) : call,
  ]);
  return Object.fromEntries(watched) as Calls;
}

function watchCall(name: string, call: (...given: never[]) => unknown, calls: Calls, watch: Watch) {
  return (...given: unknown[]): unknown => {
    const over = watch.ended();
    if (over !== null) throw over;
    const { line, isChange } = describeCall(name, given, calls);
    const at = isChange ? watch.journal.push(line) - 1 : null;
    try {
      refuseOrNot(name, line, watch);
      return (call as (...all: unknown[]) => unknown)(...given);
    } catch (error) {
      if (at !== null && error instanceof SyscallError) watch.journal[at] = `${line} → ${error.code}`;
      throw error;
    }
  };
}

/** Calls whose refusal the real machine tells by another name. */
const SYSTEM_CALLS: Readonly<Record<string, string>> = {
  startModule: "finit_module",
  unmount: "umount2",
  removeMapping: "ioctl",
};

function refuseOrNot(name: string, line: string, { refusals, kernel }: Watch): void {
  const applies = ({ call, matches, times }: Refusal) =>
    call === name && times > 0 && (typeof matches === "string" ? line.includes(matches) : matches.test(line));
  const refusal = refusals.find(applies);
  if (refusal === undefined) return;
  refusal.times--;
  for (const message of refusal.kernelLog) kernel.say(message);
  throw new SyscallError(SYSTEM_CALLS[name] ?? name, refusal.code, line);
}
