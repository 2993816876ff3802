import { wipe } from "../crypto/secret.ts";
import type { Machine } from "../machine/machine.ts";
import { problem } from "../problems/problem.ts";
import type { HeldTerminals } from "./held-terminals.ts";
import { describeQuestion, promptOf, type Question } from "./passphrase-question.ts";
import { type ContinueLoading, createPromptInput } from "./prompt-input.ts";
import { createTypedLine, LONGEST_PASSPHRASE_BYTES, type TypedLine } from "./typed-line.ts";

/** A person's answer, or why there is none. */
export type Answer =
  | { readonly kind: "passphrase"; readonly bytes: Uint8Array /** The caller wipes them. */; readonly terminal: string }
  /** Ctrl-C. */
  | { readonly kind: "cancelled" }
  | { readonly kind: "timeout" }
  /** `errands.onDeviceEvent` returned true: no answer is needed any longer. */
  | { readonly kind: "interrupted" };

/** What goes on while a person is asked. */
export interface Errands {
  /** Goes on with what needs no device event, and prints nothing. */
  readonly continueLoading: ContinueLoading;
  /** Called when uevents wait, and takes them; may print. Returns true if no answer is needed any longer. */
  readonly onDeviceEvent: () => boolean;
}

/**
 * Asks on every console at once, also on one that appears later; the first answer counts, and the other consoles say so. The
 * prompt shows that something is typed, but not what or how much, and ignores what was typed before it. The terminals stay held.
 * Throws BootError if there is no console.
 */
export function askPassphrase(
  machine: Machine,
  terminals: HeldTerminals,
  question: Question,
  errands: Errands,
): Answer {
  const asking: Asking = { machine, terminals, question, prompts: new Map() };
  const { prompts } = asking;
  try {
    terminals.drain();
    openPrompts(asking, terminals.takeEarly());
    if (prompts.size === 0) {
      const seen = terminals.nodes().map((node) => `${node}: cannot be opened`);
      throw problem("no-console-for-passphrase", { volume: question.volume }, { seen });
    }
    return waitForAnswer(asking, errands);
  } finally {
    for (const line of prompts.values()) line.wipe();
  }
}

/** The state of a question that is being asked. */
interface Asking {
  readonly machine: Machine;
  readonly terminals: HeldTerminals;
  readonly question: Question;
  /** By terminal. */
  readonly prompts: Map<string, TypedLine>;
}

/** Shows that typing arrives, but not how much. */
const TYPED = "(hidden)";
const BACK = "\b".repeat(TYPED.length);
const ERASED = `${BACK}${" ".repeat(TYPED.length)}${BACK}`;

/** Opens a prompt on every console that has none; those of `early` say that earlier typing is ignored. */
function openPrompts({ machine, terminals, question, prompts }: Asking, early: ReadonlySet<string> = new Set()): void {
  for (const node of terminals.hold()) {
    if (prompts.has(node)) continue;
    prompts.set(node, createTypedLine());
    machine.writeTerminal(node, describeQuestion(question, early.has(node)));
  }
}

function waitForAnswer(asking: Asking, { continueLoading, onDeviceEvent }: Errands): Answer {
  const { machine, terminals, question, prompts } = asking;
  let deadlineMs = deadline(machine, question);
  const wanted = prompts.size;
  const reopen = () => openPrompts(asking);
  const nextInput = createPromptInput(machine, () => {
    const progress = continueLoading();
    // A driver may have brought a console: at once, because until then it shows what is typed.
    if (progress.hasMoved) reopen();
    return progress;
  });
  for (;;) {
    const input = nextInput(deadlineMs, prompts.size < wanted ? reopen : null);
    switch (input.kind) {
      case "typed": {
        const answer = takeTyped(asking, input.terminal, input.bytes);
        if (answer !== null) return answer;
        deadlineMs = deadline(machine, question);
        break;
      }
      case "hangup":
        prompts.get(input.terminal)?.wipe();
        prompts.delete(input.terminal);
        terminals.lose(input.terminal);
        break;
      case "device":
        if (stepAside(asking, onDeviceEvent)) {
          printToAll(machine, prompts, "no longer needed");
          return { kind: "interrupted" };
        }
        openPrompts(asking);
        break;
      case "timeout":
        printToAll(machine, prompts, "timed out");
        return { kind: "timeout" };
    }
  }
}

function deadline(machine: Machine, { timeoutMs, endsAtMs = null }: Question): number | null {
  if (endsAtMs !== null) return endsAtMs;
  return timeoutMs === null ? null : machine.nowMs() + timeoutMs;
}

/** null while the line is not complete. */
function takeTyped({ machine, question, prompts }: Asking, node: string, bytes: Uint8Array): Answer | null {
  const line = prompts.get(node);
  if (line === undefined) {
    wipe(bytes);
    return null;
  }
  const wasEmpty = line.isEmpty();
  const { end, bell } = typeAndWipe(line, bytes, machine.nowMs());
  if (bell) machine.writeTerminal(node, "\x07");
  if (wasEmpty !== line.isEmpty()) machine.writeTerminal(node, wasEmpty ? TYPED : ERASED);
  const shortName = node.replace(/^\/dev\//, "");
  switch (end) {
    case null:
      return null;
    case "too long":
      machine.writeTerminal(node, `longer than ${LONGEST_PASSPHRASE_BYTES} bytes: ignored\n${promptOf(question)}`);
      return null;
    case "cancelled":
      printToAll(machine, prompts, `cancelled on ${shortName}`);
      return { kind: "cancelled" };
    case "entered":
      printToAll(machine, prompts, `answered on ${shortName}`, node);
      return { kind: "passphrase", bytes: line.copy(), terminal: node };
  }
}

function typeAndWipe(line: TypedLine, bytes: Uint8Array, nowMs: number) {
  try {
    return line.type(bytes, nowMs);
  } finally {
    wipe(bytes);
  }
}

/** Handling a uevent may print messages: the prompt is erased before them and shown again after them. */
function stepAside({ machine, question, prompts }: Asking, act: () => boolean): boolean {
  const prompt = promptOf(question);
  const shown = [...prompts].map(([node, line]) => ({ node, text: `${prompt}${line.isEmpty() ? "" : TYPED}` }));
  for (const { node, text } of shown) machine.writeTerminal(node, `\r${" ".repeat(text.length)}\r`);
  const isSettled = act();
  for (const { node, text } of shown) machine.writeTerminal(node, text);
  return isSettled;
}

/** Ends the line of every prompt, with `text` on all consoles except one. */
function printToAll(machine: Machine, prompts: ReadonlyMap<string, TypedLine>, text: string, except?: string): void {
  for (const [node, line] of prompts) {
    const words = node === except ? "" : `${line.isEmpty() ? "" : " "}${text}`;
    machine.writeTerminal(node, `${words}\n`);
  }
}
