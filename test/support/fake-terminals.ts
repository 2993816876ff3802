import type { Machine } from "../../src/machine/machine.ts";
import type { TerminalInput, TerminalSize, Terminals } from "../../src/machine/terminals.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";

export interface FakeTyping {
  /** The tty node: "/dev/ttyS0". */
  readonly terminal: string;
  /** As the terminal sends it: "secret\r". */
  readonly text: string | Uint8Array;
  /** Milliseconds since the kernel started; where not given a second after the next prompt, one for each prompt. What nobody listens to by then is lost. */
  readonly atMs?: number;
}

export interface FakeTerminals {
  readonly calls: Terminals;
  screen(node: string): string;
  /** What is written to a terminal without opening it for typing. */
  show(node: string, text: string): void;
  type(typing: FakeTyping): void;
  hangUp(node: string): void;
  /** True while somebody will type at a given time. */
  isTyping(): boolean;
  /** The last keymap that was loaded; null for the kernel's own. */
  keymap(): ReadonlyMap<number, Uint16Array> | null;
}

type Typing = readonly FakeTyping[];
type Sizes = Readonly<Record<string, TerminalSize>>;

const THINKING_MS = 1000;
const A_DAY_MS = 86_400_000;

/** Terminals of tty nodes in the fake /dev; waiting for what is typed moves the clock. */
export function createFakeTerminals(kernel: FakeKernel, typing: Typing, sizes: Sizes = {}): FakeTerminals {
  const open = new Set<string>();
  const screens = new Map<string, string>();
  let typed = typing.flatMap(({ atMs, ...one }) => (atMs === undefined ? [] : [{ ...one, atMs }]));
  let hangups: string[] = [];
  let keymap: ReadonlyMap<number, Uint16Array> | null = null;

  function add(terminal: string, text: string | Uint8Array, atMs: number): void {
    typed = [...typed, { terminal, text, atMs }].sort((a, b) => a.atMs - b.atMs);
  }
  const screen = (node: string) => screens.get(node) ?? "";
  const write = (node: string, text: string) => void screens.set(node, screen(node) + text);
  const see = createReader(typing, (answer) => add(answer.terminal, answer.text, kernel.nowMs + THINKING_MS));
  const forgetTypedBefore = () => (typed = typed.filter(({ atMs }) => atMs > kernel.nowMs));

  function takeInput(until: "anything" | "answer" | "typing"): TerminalInput | null {
    const terminal = hangups.shift();
    if (terminal !== undefined) return { kind: "hangup", terminal };
    for (let next = typed[0]; next !== undefined && next.atMs <= kernel.nowMs; next = typed[0]) {
      typed.shift();
      if (open.has(next.terminal)) return { kind: "typed", terminal: next.terminal, bytes: toBytes(next.text) };
    }
    return takeNews(kernel, until);
  }

  const calls: Terminals = {
    openTerminals(nodes) {
      if (open.size === 0) forgetTypedBefore();
      for (const node of nodes) if (isTerminal(kernel, node)) open.add(node);
      return nodes.filter((node) => open.has(node));
    },
    writeTerminal(node, text) {
      if (!open.has(node)) return;
      write(node, text);
      see(text);
    },
    terminalSize: (node) => (open.has(node) ? (sizes[node] ?? null) : null),
    readTerminals(timeoutMs, until = "anything") {
      const deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : kernel.nowMs + Math.max(0, timeoutMs);
      for (;;) {
        const input = takeInput(until);
        if (input !== null) return input;
        if (kernel.nowMs >= deadlineMs) return timeOut(kernel);
        const next = Math.min(kernel.nextArrivalMs ?? deadlineMs, typed[0]?.atMs ?? deadlineMs, deadlineMs);
        if (next === Number.POSITIVE_INFINITY) throw new Error("FakeMachine: waits for ever, nobody is to type");
        kernel.waitUntil(next);
      }
    },
    closeTerminals() {
      open.clear();
      see("\n");
      hangups = [];
      forgetTypedBefore();
    },
    loadKeymap(tables) {
      if (!isTerminal(kernel, "/dev/tty0")) throw new SyscallError("ioctl", "ENOTTY", "keymap");
      keymap = new Map(tables);
    },
  };
  return {
    ...{ calls, screen, isTyping: () => typed.length > 0, keymap: () => keymap },
    show: (node, text) => isTerminal(kernel, node) && write(node, text),
    type: ({ terminal, text, atMs = kernel.nowMs }) => add(terminal, text, atMs),
    hangUp: (node) => open.delete(node) && hangups.push(node),
  };
}

/** A program that waits again and again would never end. */
function timeOut(kernel: FakeKernel): TerminalInput {
  if (kernel.nowMs > A_DAY_MS) throw new Error("FakeMachine: waits for typing for a day");
  return { kind: "timeout" };
}

/** A person who answers each question once, at the first sight of it; what is written on any terminal is what they see. */
function createReader(typing: readonly FakeTyping[], answer: (typing: FakeTyping) => void): (text: string) => void {
  const answers = typing.filter(({ atMs }) => atMs === undefined);
  let isAsked = false;
  return (text) => {
    if (text.endsWith("\n")) isAsked = false;
    const isSecret = /^ {2}(?:unlock|shell ) {4}/m.test(text) && /pass(?:phrase|word): $/.test(text);
    if (isAsked || !(isSecret || /(?:\(y\/n\)|>) $/.test(text))) return;
    isAsked = true;
    const next = answers.shift();
    if (next !== undefined) answer(next);
  };
}

function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text.slice();
}

/** Of the character devices in the fake /dev, those that are named like one. */
function isTerminal(kernel: FakeKernel, node: string): boolean {
  try {
    const found = kernel.namespace.find(node, "open").node;
    return found.kind === "character" && /^\/dev\/(tty|hvc|console)/.test(node);
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

function takeNews(kernel: FakeKernel, until: "anything" | "answer" | "typing"): TerminalInput | null {
  if (until !== "typing" && kernel.hearAnswer()) return { kind: "answer" };
  return until === "anything" && kernel.devices.hasEvent() ? { kind: "device" } : null;
}

/** True for the terminal behind /dev/console: the last of the kernel's, or the screen, which stage0 opens where there is none. */
export function isConsole({ readFile }: Pick<Machine, "readFile">, node: string | undefined): node is undefined {
  if (node === undefined) return true;
  try {
    const names = Buffer.from(readFile("/sys/class/tty/console/active")).toString().trim().split(" ");
    return node === `/dev/${names.at(-1) || "tty0"}`;
  } catch {
    return false;
  }
}
