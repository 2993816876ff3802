import { wipe } from "../crypto/secret.ts";
import type { Machine } from "../machine/machine.ts";
import { createHeldTerminals } from "../prompt/held-terminals.ts";

/** The interval at which a terminal that hung up, or a new console, is opened. */
const REOPEN_MS = 1000;
const [CARRIAGE_RETURN, LINE_FEED] = [0x0d, 0x0a];

/** Waits until Enter is pressed on one of the consoles, or `seconds` are over; returns whether it was pressed. Other keys do not count: a serial line without a cable may send anything. */
export function waitForEnter(machine: Machine, seconds: number): boolean {
  const terminals = createHeldTerminals(machine);
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
      if (input.kind === "typed" && hasEnter(input.bytes)) return true;
    }
    return false;
  } finally {
    terminals.release();
  }
}

function hasEnter(bytes: Uint8Array): boolean {
  const found = bytes.some((byte) => byte === CARRIAGE_RETURN || byte === LINE_FEED);
  wipe(bytes); // perhaps a passphrase, typed too late
  return found;
}
