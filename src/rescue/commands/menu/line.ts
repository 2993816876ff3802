import { wipe } from "../../../crypto/secret.ts";
import { decodeText } from "../../../formats/text.ts";
import type { Machine } from "../../../machine/machine.ts";
import { printable } from "../../../problems/report.ts";
import type { HeldTerminals } from "../../../prompt/held-terminals.ts";
import { createKeySequence } from "../../../prompt/key-sequence.ts";
import type { TypedLine } from "../../../prompt/typed-line.ts";

/** The interval at which a terminal that hung up, or a new console, is opened. */
const REOPEN_MS = 1000;
const CTRL_U = 0x15;
const [UP, DOWN] = [0x41, 0x42]; // the last bytes of their sequences

/** What a line is read from. */
interface Reading {
  readonly machine: Machine;
  readonly terminals: HeldTerminals;
  readonly known: Set<string>;
  readonly hold: () => void;
}

/** Reads a line until Enter, without the spaces around it; null after Ctrl-C. Arrow keys go through `choices`. */
export function readLine(
  { machine, terminals, known, hold }: Reading,
  line: ReturnType<typeof createEcho>,
  choices: readonly string[],
): string | null {
  const isOfSequence = createKeySequence();
  function take(byte: number): "cancelled" | "entered" | "too long" | null {
    const nowMs = machine.nowMs();
    const step = isOfSequence(byte, nowMs) ? Number(byte === DOWN) - Number(byte === UP) : 0;
    const end = line.type(Uint8Array.of(byte), nowMs);
    // After the last byte of its sequence, which would be text otherwise.
    if (step !== 0) line.replace(neighbour(choices, line.text(), step), nowMs);
    return end;
  }
  for (;;) {
    hold();
    // Without a terminal there may be one later: the menu must not be drawn in a busy loop.
    if (known.size === 0) machine.sleepMs(REOPEN_MS);
    const input = machine.readTerminals(REOPEN_MS, "typing");
    if (input.kind === "hangup") {
      terminals.lose(input.terminal);
      known.delete(input.terminal);
    }
    if (input.kind !== "typed") continue;
    const bytes = [...input.bytes];
    wipe(input.bytes); // perhaps a passphrase, typed at the wrong question
    const end = bytes.map(take).find((one) => one === "cancelled" || one === "entered");
    if (end !== undefined) return end === "entered" ? line.text().trim() : null;
  }
}

function neighbour(choices: readonly string[], now: string, step: number): string {
  const at = choices.indexOf(now);
  const next = at < 0 && step < 0 ? choices.length - 1 : at + step;
  return choices[(next + choices.length) % Math.max(1, choices.length)] ?? now;
}

/** Shows what a line becomes while it is typed. */
export function createEcho(line: TypedLine, write: (text: string) => void) {
  const text = () => decodeText(line.copy());
  function type(bytes: Uint8Array, nowMs: number) {
    const before = text();
    const { end, bell } = line.type(bytes, nowMs);
    const after = text();
    let same = 0;
    while (same < before.length && before[same] === after[same]) same += 1;
    const shown = `${"\b \b".repeat([...before.slice(same)].length)}${printable(after.slice(same))}${bell ? "\x07" : ""}`;
    if (shown !== "") write(shown);
    return end;
  }
  return {
    text,
    type,
    replace(by: string, nowMs: number) {
      type(Uint8Array.of(CTRL_U), nowMs);
      type(new TextEncoder().encode(by), nowMs);
    },
  };
}
