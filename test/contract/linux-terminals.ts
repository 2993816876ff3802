import { deepEqual, equal, ok } from "node:assert/strict";
import * as fs from "node:fs";
import type { Machine } from "../../src/machine/machine.ts";
import { createHeldTerminals } from "../../src/prompt/held-terminals.ts";
import { askPassphrase } from "../../src/prompt/passphrase.ts";
import { errands } from "../support/errands.ts";
import type { ContractCase } from "./case.ts";
import { openPseudoTerminal, type PseudoTerminal } from "./pseudo-terminal.ts";

/** Terminals with somebody who types: for the guest of contract.test.ts, and for any Linux with /dev/pts. */
export const LINUX_TERMINAL_CASES: readonly ContractCase[] = [
  {
    name: "what is typed comes at once, byte for byte and unseen; Ctrl-C, Ctrl-D and Ctrl-S are bytes too",
    check(machine) {
      withTerminals(machine, 1, ([terminal]) => {
        const keys = Uint8Array.of(0x61, 0x03, 0x04, 0x0d, 0x0a, 0x11, 0x13, 0x16, 0x1a, 0x7f, 0xc3, 0xbc, 0xff);
        terminal.type(keys);
        deepEqual(readTyped(machine), { terminal: terminal.node, bytes: keys });
        equal(terminal.shown(), "");
        for (const key of [0x00, 0x04, 0x0a]) {
          terminal.type(Uint8Array.of(key));
          deepEqual(readTyped(machine), { terminal: terminal.node, bytes: Uint8Array.of(key) });
        }
      });
    },
  },
  {
    name: "what is written begins each line at its start, as on any terminal",
    check(machine) {
      withTerminals(machine, 1, ([terminal]) => {
        machine.writeTerminal(terminal.node, "one\ntwo");
        equal(terminal.shown(), "one\r\ntwo");
      });
    },
  },
  {
    name: "text for the console of another terminal is shown there, without opening it first",
    check(machine) {
      withKeptTerminal((terminal) => {
        machine.writeConsole("one\ntwo", terminal.node);
        equal(terminal.shown(), "one\r\ntwo");
      });
    },
  },
  {
    name: "what was typed before a terminal was opened is dropped, and so is what is not read before it is closed",
    check(machine) {
      withKeptTerminal((terminal) => {
        terminal.type("early");
        deepEqual(machine.openTerminals([terminal.node]), [terminal.node]);
        deepEqual(machine.readTerminals(50), { kind: "timeout" });
        terminal.type("late");
        machine.closeTerminals();
        machine.openTerminals([terminal.node]);
        deepEqual(machine.readTerminals(50), { kind: "timeout" });
        machine.closeTerminals();
      });
    },
  },
  {
    name: "a terminal that knows its size says so, also after it has changed, and one that is not open does not",
    check(machine) {
      withTerminals(machine, 1, ([terminal]) => {
        equal(machine.terminalSize(terminal.node), null);
        terminal.resize(40, 12);
        deepEqual(machine.terminalSize(terminal.node), { columns: 40, rows: 12 });
        equal(machine.terminalSize("/dev/none"), null);
      });
    },
  },
  {
    name: "a closed terminal is as it was before: it shows what is typed, by lines",
    check(machine) {
      withKeptTerminal((terminal, other) => {
        machine.openTerminals([terminal.node]);
        machine.closeTerminals();
        terminal.type("ab\x7fc\r");
        equal(terminal.shown(), "ab\b \bc\r\n");
        const line = new Uint8Array(16);
        equal(Buffer.from(line.subarray(0, fs.readSync(other, line))).toString(), "ac\n");
      });
    },
  },
  {
    name: "one that was opened by two names, as tty1 and tty0 are one, is as it was before",
    check(machine) {
      withKeptTerminal((terminal) => {
        const twice = [terminal.node, terminal.node.replace("/dev/pts", "/dev/./pts")];
        deepEqual(machine.openTerminals(twice), twice);
        machine.closeTerminals();
        terminal.type("seen");
        equal(terminal.shown(), "seen");
      });
    },
  },
  {
    name: "a terminal that hangs up is told once, and the others go on",
    check(machine) {
      withTerminals(machine, 2, ([one, two]) => {
        one.hangUp();
        deepEqual(machine.readTerminals(1000), { kind: "hangup", terminal: one.node });
        machine.writeTerminal(one.node, "nobody reads this");
        two.type("x");
        deepEqual(readTyped(machine), { terminal: two.node, bytes: Uint8Array.of(0x78) });
        deepEqual(machine.readTerminals(50), { kind: "timeout" });
        deepEqual(machine.openTerminals([one.node, two.node]), [two.node]);
      });
    },
  },
  {
    name: "text for a terminal that nobody reads is lost after a second, and holds nobody up for longer",
    check(machine) {
      withTerminals(machine, 1, ([terminal]) => {
        const startMs = machine.nowMs();
        machine.writeTerminal(terminal.node, "x".repeat(1 << 20));
        const tookMs = machine.nowMs() - startMs;
        ok(tookMs >= 900 && tookMs < 4000, `${tookMs} ms`);
      });
    },
  },
  {
    name: "a passphrase typed on a real terminal is what is answered, and it is not seen there",
    check(machine) {
      withTerminals(machine, 2, ([one, two]) => {
        const consoles = { ...machine, openTerminals: () => machine.openTerminals([one.node, two.node]) };
        const typeLater = {
          ...consoles,
          readTerminals(timeoutMs: number | null) {
            two.type("geh\x7fheim ü\r");
            return consoles.readTerminals(timeoutMs);
          },
        };
        const question = { volume: "/dev/vda2", triesLeft: 1, keymap: null, timeoutMs: 5000, lastWasWrong: false };
        const answer = askPassphrase(
          typeLater,
          createHeldTerminals(typeLater),
          question,
          errands(() => false),
        );
        equal(answer.kind === "passphrase" ? Buffer.from(answer.bytes).toString() : answer.kind, "geheim ü");
        const asked = "  unlock    /dev/vda2, the last try\r\n            passphrase: ";
        equal(one.shown(), `${asked}answered on ${two.node.slice("/dev/".length)}\r\n`);
        equal(two.shown(), `${asked}(hidden)\r\n`);
      });
    },
  },
];

/** Opens terminals while `act` runs; each can be hung up by it. */
function withTerminals(
  machine: Machine,
  count: 1 | 2,
  act: (terminals: readonly [PseudoTerminal, PseudoTerminal]) => void,
): void {
  const one = openPseudoTerminal();
  const two = count === 2 ? openPseudoTerminal() : one;
  const nodes = [...new Set([one.node, two.node])];
  try {
    deepEqual(machine.openTerminals(nodes), nodes);
    act([one, two]);
  } finally {
    machine.closeTerminals();
  }
}

function readTyped(machine: Machine) {
  const input = machine.readTerminals(5000);
  if (input.kind !== "typed") throw new Error(`expected typing, saw ${input.kind}`);
  return { terminal: input.terminal, bytes: input.bytes };
}

/** A terminal that is open somewhere else too: only then does it keep what is typed, and how it was set. */
function withKeptTerminal(check: (terminal: PseudoTerminal, other: number) => void): void {
  const terminal = openPseudoTerminal();
  const other = fs.openSync(terminal.node, fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK);
  try {
    check(terminal, other);
  } finally {
    fs.closeSync(other);
    terminal.hangUp();
  }
}
