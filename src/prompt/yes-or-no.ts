import { wipe } from "../crypto/secret.ts";
import type { Machine } from "../machine/machine.ts";
import { printable, wrapLine } from "../problems/report.ts";
import { createHeldTerminals } from "./held-terminals.ts";

/** The interval at which a terminal that hung up, or a new console, is opened. */
const REOPEN_MS = 1000;
const CTRL_C = 0x03;
const ANSWERS: Readonly<Record<string, boolean>> = { y: true, Y: true, n: false, N: false };

/**
 * Asks a question on every console until one of them answers with y or n; what was typed before it does not count. Returns null
 * after Ctrl-C, or if there is no console.
 */
export function askYesOrNo(machine: Machine, subject: string, question: string): boolean | null {
  const terminals = createHeldTerminals(machine);
  const asked = new Set<string>();
  const text = `${wrapLine(`  ${subject.padEnd(10)}${printable(question)} (y/n)`, 12).join("\n")} `;
  const show = () => {
    for (const node of terminals.hold()) {
      if (!asked.has(node)) machine.writeTerminal(node, text);
      asked.add(node);
    }
  };
  try {
    terminals.hold();
    terminals.drain();
    for (show(); asked.size > 0; show()) {
      const input = machine.readTerminals(REOPEN_MS, "typing");
      if (input.kind === "hangup") {
        terminals.lose(input.terminal);
        asked.delete(input.terminal);
      }
      if (input.kind !== "typed") continue;
      const answer = readAnswer(input.bytes);
      if (answer === undefined) continue;
      for (const node of asked) machine.writeTerminal(node, `${answer === true ? "y" : "n"}\n`);
      return answer;
    }
    return null;
  } finally {
    terminals.release();
  }
}

/** undefined for keys that mean nothing. */
function readAnswer(bytes: Uint8Array): boolean | null | undefined {
  try {
    for (const byte of bytes) {
      if (byte === CTRL_C) return null;
      const answer = ANSWERS[String.fromCharCode(byte)];
      if (answer !== undefined) return answer;
    }
    return undefined;
  } finally {
    wipe(bytes); // perhaps a passphrase, typed at the wrong question
  }
}
