import type { Child } from "../../../machine/child.ts";
import type { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { createPauses, type Transport } from "./transport.ts";

/** How often an answer is looked for. */
const LOOK_MS = 100;

/** Connections that another process makes, because the kernel or a program waits for the server while it connects. */
interface ChildWork<Answer> {
  /** What is connected to, for messages. */
  readonly where: string;
  /** Starts the process with its order. */
  begin(): Child;
  decode(bytes: Uint8Array): Answer;
  /** The answer for a process that has ended. */
  readonly gone: Answer;
  isConnected(answer: Answer): boolean;
  explain(answer: Answer): string;
  /** What the user should know of an answer, also if it is connected; null for nothing. */
  warning?(answer: Answer): string | null;
  problem(answer: Answer): BootError;
}

/** Creates the transport that lets a process connect, again and again until it is connected. */
export function connectByChild<Answer>(
  { machine, voice }: Pick<StorageContext, "machine" | "voice">,
  work: ChildWork<Answer>,
): Transport {
  const nextPause = createPauses();
  let child: Child | null = null;
  let dueMs = 0;
  let last: Answer | null = null;
  let warned: string | null = null;
  const isConnected = () => last !== null && work.isConnected(last);
  const explain = () =>
    printable(`${work.where}: ${last === null ? "no answer from the server yet" : work.explain(last)}`);

  function stop(): void {
    // A login that goes on would stand in the way of the next one, and of iscsid in the real system.
    child?.stop("with programs");
    child = null;
  }

  function warn(answer: Answer): void {
    const warning = work.warning?.(answer) ?? null;
    if (warning !== null && warning !== warned) voice.warn(printable(`${work.where}: ${warning}`));
    warned = warning ?? warned;
  }

  return {
    advance() {
      child ??= work.begin();
      const news = child.answer(0);
      dueMs = machine.nowMs() + LOOK_MS;
      if (news.kind === "busy") return false;
      stop();
      const isFirst = last === null;
      last = news.kind === "answer" ? work.decode(news.bytes) : work.gone;
      dueMs = isConnected() ? Number.POSITIVE_INFINITY : machine.nowMs() + nextPause();
      warn(last);
      if (!isConnected() && isFirst) voice.progress(`${explain()}, trying again`);
      return isConnected();
    },
    close: stop,
    dueMs: () => dueMs,
    seen: () => (isConnected() ? null : explain()),
    problem() {
      if (last === null || isConnected()) return null;
      return { error: work.problem(last), isFatal: false, isCause: true };
    },
  };
}
