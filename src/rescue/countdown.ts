import { wipe } from "../crypto/secret.ts";
import type { Machine } from "../machine/machine.ts";
import { createHeldTerminals } from "../prompt/held-terminals.ts";
import { countEnters } from "./other-terminals.ts";

/** The interval at which a terminal that hung up, or a new console, is opened. */
const REOPEN_MS = 1000;

/** Waits until Enter is pressed twice on one of the consoles, with no other key between, or `seconds` are over; returns whether it was. A serial line may send anything without a person: noise, or an echo. */
export function waitForEnter(machine: Machine, seconds: number): boolean {
  const terminals = createHeldTerminals(machine);
  const pressed = new Map<string, number>();
  const endMs = machine.nowMs() + seconds * 1000;
  try {
    terminals.hold();
    terminals.drain(); // what was typed before the report
    for (let leftMs = seconds * 1000; leftMs > 0; leftMs = endMs - machine.nowMs()) {
      const nodes = terminals.hold();
      if (nodes.length === 0) {
        machine.sleepMs(Math.min(REOPEN_MS, leftMs));
        continue;
      }
      const input = machine.readTerminals(Math.min(REOPEN_MS, leftMs), "typing");
      if (input.kind === "hangup") terminals.lose(input.terminal);
      if (input.kind !== "typed") continue;
      const count = countEnters(input.bytes);
      wipe(input.bytes); // perhaps a passphrase, typed too late
      const before = pressed.get(input.terminal) ?? 0;
      pressed.set(input.terminal, count === null ? 0 : before + count);
      if (count !== null && before + count > 1) return true;
    }
    return false;
  } finally {
    terminals.release();
  }
}
