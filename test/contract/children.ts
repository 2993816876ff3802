import { equal, ok, throws } from "node:assert/strict";
import type { Pbkdf2 } from "../../src/formats/luks/header.ts";
import { decodeAnswer, encodeOrder } from "../../src/keys/deriver.ts";
import type { Child } from "../../src/machine/child.ts";
import { CHILD_COMMANDS } from "../../src/machine/child-commands.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { type ContractCase, refuses } from "./case.ts";

const START_LIMIT_MS = 60_000;
const LARGEST_BYTES = 16 << 20;

/** RFC 7914, 11: PBKDF2 with HMAC-SHA-256. */
function order(iterations: number, salt = "salt", passphrase = "passwd"): Uint8Array {
  const kdf: Pbkdf2 = { type: "pbkdf2", hash: "sha256", iterations, salt: Buffer.from(salt) };
  return encodeOrder({ kdf, length: 64 }, Buffer.from(passphrase));
}

function answerOf(child: Child): Uint8Array {
  const news = child.answer(START_LIMIT_MS);
  if (news.kind !== "answer") throw new Error(`${news.kind} instead of an answer`);
  return decodeAnswer(news.bytes);
}

function withChild(machine: Machine, act: (child: Child) => void): void {
  const child = machine.startChild(CHILD_COMMANDS.derive);
  try {
    act(child);
  } finally {
    child.stop();
  }
}

/** A second process of this program. */
export const CHILD_CASES: readonly ContractCase[] = [
  {
    name: "a child answers one order after the other, by the vectors of RFC 7914",
    check: (machine) =>
      withChild(machine, (child) => {
        child.order(order(1));
        equal(
          answerOf(child).toHex(),
          "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        );
        child.order(order(80_000, "NaCl", "Password"));
        equal(
          answerOf(child).toHex(),
          "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" +
            "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
        );
      }),
  },
  {
    name: "what a child refuses comes back in words",
    check: (machine) =>
      withChild(machine, (child) => {
        const kdf: Pbkdf2 = { type: "pbkdf2", hash: "tiger", iterations: 1, salt: new Uint8Array(8) };
        child.order(encodeOrder({ kdf, length: 32 }, new Uint8Array()));
        throws(() => answerOf(child), /hash tiger is not supported/);
      }),
  },
  {
    name: "a child takes an order of 16 MiB, and a longer one is EFBIG",
    check: (machine) =>
      withChild(machine, (child) => {
        refuses("EFBIG", () => child.order(new Uint8Array(LARGEST_BYTES + 4097)));
        const terms = order(1, "salt", "").length;
        child.order(order(1, "salt", "x".repeat(LARGEST_BYTES - terms)));
        equal(answerOf(child).length, 64);
      }),
  },
  {
    name: "a child that is at work is busy until the time is up, and can be stopped there",
    check(machine) {
      const child = machine.startChild(CHILD_COMMANDS.derive);
      child.order(order(500_000_000));
      const startMs = machine.nowMs();
      equal(child.answer(0).kind, "busy");
      equal(child.answer(300).kind, "busy");
      const waitedMs = machine.nowMs() - startMs;
      ok(waitedMs >= 300, `${waitedMs} ms`);
      child.stop();
      const stoppedMs = machine.nowMs() - startMs - waitedMs;
      ok(stoppedMs < 5000, `${stoppedMs} ms`);
    },
  },
];
