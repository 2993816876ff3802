import { wipe } from "../crypto/secret.ts";
import type { Machine } from "../machine/machine.ts";
import { listConsoles } from "./consoles.ts";

/**
 * The terminals at which a person may sit, silent while volumes are unlocked: nothing that is typed is shown, and what nobody asked
 * for is read and wiped, for what is only flushed stays in the kernel's memory.
 */
export interface HeldTerminals {
  /** All that are to be held, whether they can be opened or not. */
  nodes(): readonly string[];
  /** Opens every one that is not held yet, also one that came late or hung up; returns those that are held now. */
  hold(): readonly string[];
  /** Reads and wipes what was typed since the last time; "cancelled" where Ctrl-C was among it. Takes no time, and does nothing where no terminal is held. */
  drain(): "cancelled" | null;
  /** Waits for a uevent and takes none; "cancelled" as soon as Ctrl-C is typed. */
  waitForDevice(timeoutMs: number): "device" | "cancelled" | "timeout";
  /** The terminals on which text was drained since this was last called. */
  takeEarly(): ReadonlySet<string>;
  /** One that hung up: `hold` opens it again. */
  lose(node: string): void;
  /** Gives every terminal back as it was before; what was typed and not read is read and wiped. */
  release(): void;
}

const CTRL_C = 0x03;
/** NUL, and the ends of lines: a terminal that sends two bytes for Enter has typed nothing when the second comes late. */
const NO_TEXT = [0x00, 0x0a, 0x0d];
/** Of reads at a time: more than a terminal keeps, for one that never falls silent. */
const LONGEST_DRAIN = 64;

/** Holds nothing yet. `nodes` lists what is to be held, each time: the consoles where it is left out. */
export function createHeldTerminals(machine: Machine, nodes = () => listConsoles(machine)): HeldTerminals {
  const held = new Set<string>();
  let isHolding = false;
  let early = new Set<string>();

  /** True where Ctrl-C is among the bytes. */
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
    return input.kind === "hangup" ? "typed" : input.kind;
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
