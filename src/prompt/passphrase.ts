import { wipe } from "../crypto/secret.ts";
import type { Machine } from "../machine/machine.ts";
import { BootError } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { HeldTerminals } from "./held-terminals.ts";
import { describeQuestion, PROMPT, type Question } from "./passphrase-question.ts";
import { createPromptInput } from "./prompt-input.ts";
import { createTypedLine, LONGEST_PASSPHRASE_BYTES, type TypedLine } from "./typed-line.ts";

/** What a person answered, or why nobody did. */
export type Answer =
  | { readonly kind: "passphrase"; readonly bytes: Uint8Array /** The caller wipes them. */ }
  /** Ctrl-C. */
  | { readonly kind: "cancelled" }
  | { readonly kind: "timeout" }
  /** `onDeviceEvent` said that no answer is needed any more. */
  | { readonly kind: "interrupted" };

/**
 * Asks on every console at once, also on one that comes later; the first answer counts, and the others are told. Nothing of what
 * is typed is shown, but that something is, and what was typed before is ignored. The terminals stay held. `onDeviceEvent` is
 * called when uevents wait and takes them; it returns true where the question is settled. Throws BootError where there is no console.
 */
export function askPassphrase(
  machine: Machine,
  terminals: HeldTerminals,
  question: Question,
  onDeviceEvent: () => boolean,
): Answer {
  const asking: Asking = { machine, terminals, question, prompts: new Map() };
  const { prompts } = asking;
  try {
    terminals.drain();
    openPrompts(asking, terminals.takeEarly());
    if (prompts.size === 0) throw noConsole(terminals, question);
    return waitForAnswer(asking, onDeviceEvent);
  } finally {
    for (const line of prompts.values()) line.wipe();
  }
}

/** A question that is asked now. */
interface Asking {
  readonly machine: Machine;
  readonly terminals: HeldTerminals;
  readonly question: Question;
  /** By terminal. */
  readonly prompts: Map<string, TypedLine>;
}

/** Whoever types sees that it arrives, and nobody how much it is. */
const TYPED = "(hidden)";

function noConsole(terminals: HeldTerminals, { volume }: Question): BootError {
  return new BootError(`nobody can be asked for the passphrase of ${printable(volume)}`, {
    seen: terminals.nodes().map((node) => `${node}: it cannot be opened`),
    hint: "name a console that is there (console=tty0 or console=ttyS0), or use a key file (rd.luks.key=)",
  });
}

/** On all consoles that have none yet; on those of `early` something was typed that is ignored. */
function openPrompts({ machine, terminals, question, prompts }: Asking, early: ReadonlySet<string> = new Set()): void {
  for (const node of terminals.hold()) {
    if (prompts.has(node)) continue;
    prompts.set(node, createTypedLine());
    machine.writeTerminal(node, describeQuestion(question, { isEarly: early.has(node) }));
  }
}

function waitForAnswer(asking: Asking, onDeviceEvent: () => boolean): Answer {
  const { machine, terminals, question, prompts } = asking;
  let deadlineMs = deadline(machine, question);
  const wanted = prompts.size;
  const inputs = createPromptInput(machine);
  const reopen = () => openPrompts(asking);
  for (;;) {
    const input = inputs.next(deadlineMs, prompts.size < wanted ? reopen : null);
    switch (input.kind) {
      case "typed": {
        const answer = takeTyped(machine, prompts, input.terminal, input.bytes);
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
        if (stepAside(machine, prompts, onDeviceEvent)) {
          tellAll(machine, prompts, "not needed any more");
          return { kind: "interrupted" };
        }
        openPrompts(asking);
        break;
      case "timeout":
        tellAll(machine, prompts, "nobody answered");
        return { kind: "timeout" };
    }
  }
}

function deadline(machine: Machine, { timeoutMs }: Question): number | null {
  return timeoutMs === null ? null : machine.nowMs() + timeoutMs;
}

/** null where the line goes on. */
function takeTyped(
  machine: Machine,
  prompts: ReadonlyMap<string, TypedLine>,
  node: string,
  bytes: Uint8Array,
): Answer | null {
  const line = prompts.get(node);
  if (line === undefined) {
    wipe(bytes);
    return null;
  }
  const wasEmpty = line.isEmpty();
  const { end, bell } = typeAndWipe(line, bytes, machine.nowMs());
  if (bell) machine.writeTerminal(node, "\x07");
  if (wasEmpty !== line.isEmpty()) machine.writeTerminal(node, wasEmpty ? TYPED : erase(TYPED.length));
  switch (end) {
    case null:
      return null;
    case "too long":
      machine.writeTerminal(node, `longer than ${LONGEST_PASSPHRASE_BYTES} bytes: not taken\n${PROMPT}`);
      return null;
    case "cancelled":
      tellAll(machine, prompts, `cancelled on ${shortName(node)}`);
      return { kind: "cancelled" };
    case "entered":
      tellAll(machine, prompts, `answered on ${shortName(node)}`, node);
      return { kind: "passphrase", bytes: line.copy() };
  }
}

function typeAndWipe(line: TypedLine, bytes: Uint8Array, nowMs: number) {
  try {
    return line.type(bytes, nowMs);
  } finally {
    wipe(bytes);
  }
}

/** Whoever handles a uevent may have something to say: on a line of its own, after which the prompt stands as before. */
function stepAside(machine: Machine, prompts: ReadonlyMap<string, TypedLine>, act: () => boolean): boolean {
  const shown = [...prompts].map(([node, line]) => ({ node, text: `${PROMPT}${line.isEmpty() ? "" : TYPED}` }));
  for (const { node, text } of shown) machine.writeTerminal(node, `\r${" ".repeat(text.length)}\r`);
  const isSettled = act();
  for (const { node, text } of shown) machine.writeTerminal(node, text);
  return isSettled;
}

/** Ends the line of every prompt, with words for all but `except`. */
function tellAll(machine: Machine, prompts: ReadonlyMap<string, TypedLine>, text: string, except?: string): void {
  for (const [node, line] of prompts) {
    const words = node === except ? "" : `${line.isEmpty() ? "" : " "}${text}`;
    machine.writeTerminal(node, `${words}\n`);
  }
}

function erase(columns: number): string {
  return `${"\b".repeat(columns)}${" ".repeat(columns)}${"\b".repeat(columns)}`;
}

function shortName(node: string): string {
  return node.replace(/^\/dev\//, "");
}
