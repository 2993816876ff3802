import type { Context } from "../drivers/context.ts";
import type { Child, ChildNews, Processes, RunResult } from "../machine/child.ts";
import { CHILD_COMMANDS } from "../machine/child-commands.ts";
import { SyscallError, unlessRefused } from "../problems/errors.ts";
import { describeRefusal } from "../problems/report.ts";
import { createWaitNotice } from "../problems/wait-notice.ts";

/** A program with its arguments, and variables that its environment has besides. */
export interface RunOrder {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** The status of a shell for a program that could not be started. */
const NOT_STARTED = 127;

/** Encodes an order or how it ended as JSON. */
export function encodeJson(value: RunOrder | RunResult): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

type Ended = Exclude<ChildNews, { readonly kind: "busy" }>;

/** Returns how an order ended; of a process that is gone, what its end says. */
export function resultOf(news: Ended): RunResult {
  return news.kind === "gone" ? { status: news.status, output: "" } : JSON.parse(new TextDecoder().decode(news.bytes));
}

/**
 * Runs a program in a process of its own, and says how long it takes; null if it has not ended after `limitMs`: it is killed then.
 * `keep` gets the process if the program has ended and left daemons: it ends them with `stop("with daemons")`.
 */
export function runWithin(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  order: RunOrder,
  limitMs: number,
  what = order.argv[0] ?? "",
  keep: ((child: Child) => void) | null = null,
): RunResult | null {
  const notice = createWaitNotice(voice);
  const startMs = machine.nowMs();
  const wait = (): RunResult | null => {
    const child = machine.startChild(CHILD_COMMANDS.run);
    let end: Ended | null = null;
    try {
      const bytes = encodeJson(order);
      child.order(bytes);
      bytes.fill(0); // a password may be in it
      for (let waitedMs = 0; waitedMs < limitMs; waitedMs = machine.nowMs() - startMs) {
        const turnMs = Math.min(limitMs - waitedMs, notice(what, waitedMs, Number.isFinite(limitMs) ? limitMs : null));
        const news = child.answer(Math.max(1, turnMs));
        if (news.kind === "busy") continue;
        end = news;
        return resultOf(news);
      }
      return null;
    } finally {
      endRun(child, end, keep);
    }
  };
  return unlessRefused(wait, (refusal) => ({ status: NOT_STARTED, output: describeRefusal(refusal) }));
}

function endRun(child: Child, end: Ended | null, keep: ((child: Child) => void) | null): void {
  if (keep !== null && end?.kind === "answer" && child.hasDaemons()) keep(child);
  else child.stop(keep === null ? "with programs" : "with daemons");
}

/** Returns what runs the program of an order, in a process of its own. */
export function createRuns(machine: Pick<Processes, "run">): (order: Uint8Array) => Uint8Array {
  return (bytes) => {
    const order: RunOrder = JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
    return encodeJson(run(machine, order));
  };
}

function run(machine: Pick<Processes, "run">, { argv, ...options }: RunOrder): RunResult {
  try {
    return machine.run(argv, { capture: true, ...options });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { status: NOT_STARTED, output: describeRefusal(error) };
  }
}
