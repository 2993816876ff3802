import { wipe } from "../crypto/secret.ts";
import { listConsoles } from "../log/consoles.ts";
import type { Machine } from "../machine/machine.ts";

/**
 * The terminals at which a person may sit, held silent while volumes are unlocked: typing is not shown, and what is typed without a
 * prompt is read and wiped, because flushed input stays in the kernel's memory.
 */
export interface HeldTerminals {
  /** Lists the terminals to hold, also those that cannot be opened. */
  nodes(): readonly string[];
  /** Opens every terminal that is not held, also one that came late or hung up; returns those that are held now. */
  hold(): readonly string[];
  /** Reads and wipes what was typed since the last call; "cancelled" if it contains Ctrl-C. Does not wait, and does nothing if no terminal is held. */
  drain(): "cancelled" | null;
  /** Waits for a uevent, or the answer of a device, without taking it; "cancelled" as soon as Ctrl-C is typed. */
  waitForDevice(timeoutMs: number): "device" | "cancelled" | "timeout";
  /** Returns the terminals on which text was drained since the last call. */
  takeEarly(): ReadonlySet<string>;
  /** Forgets a terminal that hung up: `hold` opens it again. */
  lose(node: string): void;
  /** Restores every terminal; reads and wipes what was typed. */
  release(): void;
}

const CTRL_C = 0x03;
/** NUL and line ends: some terminals send two bytes for Enter, and the second may come late. */
const NO_TEXT = [0x00, 0x0a, 0x0d];
/** Reads in one drain: more than a terminal buffers, for one that never stops sending. */
const LONGEST_DRAIN = 64;

/** Creates it, holding nothing. `nodes` lists the terminals to hold at each call; by default the consoles. */
export function createHeldTerminals(machine: Machine, nodes = () => listConsoles(machine)): HeldTerminals {
  const held = new Set<string>();
  let isHolding = false;
  let early = new Set<string>();

  /** Returns true if the bytes contain Ctrl-C. */
  function discard(node: string, bytes: Uint8Array): boolean {
    try {
      if (bytes.some((byte) => !NO_TEXT.includes(byte))) early.add(node);
      return bytes.includes(CTRL_C);
    } finally {
      wipe(bytes);
    }
  }

  function waitOnce(timeoutMs: number, until: "typing" | "anything"): "device" | "timeout" | "cancelled" | "typed" {
    const input = machine.readTerminals(timeoutMs, until);
    if (input.kind === "hangup") held.delete(input.terminal);
    if (input.kind === "typed") return discard(input.terminal, input.bytes) ? "cancelled" : "typed";
    if (input.kind === "hangup") return "typed";
    return input.kind === "answer" ? "device" : input.kind;
  }

  return {
    nodes,
    hold() {
      isHolding = true;
      const missing = nodes().filter((node) => !held.has(node));
      if (missing.length > 0) for (const node of machine.openTerminals(missing)) held.add(node);
      return [...held];
    },
    drain() {
      let isCancelled = false;
      for (let turn = 0; isHolding && turn < LONGEST_DRAIN; turn++) {
        const what = waitOnce(0, "typing");
        isCancelled ||= what === "cancelled";
        if (what === "timeout") break;
      }
      return isCancelled ? "cancelled" : null;
    },
    waitForDevice(timeoutMs) {
      const deadlineMs = machine.nowMs() + timeoutMs;
      for (;;) {
        const what = waitOnce(Math.max(0, deadlineMs - machine.nowMs()), "anything");
        if (what !== "typed") return what;
      }
    },
    takeEarly() {
      const taken = early;
      early = new Set();
      return taken;
    },
    lose: (node) => void held.delete(node),
    release() {
      if (isHolding) machine.closeTerminals();
      isHolding = false;
      held.clear();
      early.clear();
    },
  };
}
