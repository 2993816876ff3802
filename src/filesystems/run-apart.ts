import type { Processes, RunResult } from "../machine/child.ts";
import { SyscallError } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";

/** Internal command: a process that runs a program and waits for it, so that a program that hangs holds up no boot. */
export const RUN_COMMAND = "run-program";

/** A program with its arguments, and variables that its environment has besides. */
export interface RunOrder {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The status of a shell for a program that could not be started. */
const NOT_STARTED = 127;

/** Encodes an order or how it ended as JSON. */
export function encodeJson(value: RunOrder | RunResult): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Decodes how an order ended. */
export function decodeResult(bytes: Uint8Array): RunResult {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Returns what runs the program of an order, in a process of its own. */
export function createRuns(machine: Pick<Processes, "run">): (order: Uint8Array) => Uint8Array {
  return (bytes) => {
    const { argv, environment }: RunOrder = JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
    return encodeJson(run(machine, argv, environment));
  };
}

function run(machine: Pick<Processes, "run">, argv: RunOrder["argv"], environment: RunOrder["environment"]): RunResult {
  try {
    return machine.run(argv, { capture: true, environment });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { status: NOT_STARTED, output: describeRefusal(error) };
  }
}
