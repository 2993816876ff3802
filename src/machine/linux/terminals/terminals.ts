import * as fs from "node:fs";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../../abi/terminal.ts";
import type { TerminalInput, Terminals } from "../../terminals.ts";
import { closing } from "../descriptors.ts";
import { poll } from "../poll.ts";
import type { Answers } from "../uevents.ts";
import { closeQuiet, openQuiet, type QuietTerminal, readSize, readTyped } from "./termios.ts";

const SUBJECT = "terminals";
const WRITE_LIMIT_MS = 1000;

/** The sockets that end a wait for typing: that of uevents (null before levain listens), and those for answers of other processes. */
interface Sockets {
  readonly uevents: () => number | null;
  readonly answers: Answers;
}

type Until = "anything" | "answer" | "typing";

/** Returns the sockets that end a wait, those for answers first, and how many these are. */
function listSockets(
  { uevents, answers }: Sockets,
  until: Until,
): { readonly fds: readonly number[]; readonly answers: number } {
  const waiting = until === "typing" ? [] : answers.sockets();
  const events = until === "anything" ? uevents() : null;
  return { fds: [...waiting, ...(events === null ? [] : [events])], answers: waiting.length };
}

/** Implements terminals by tty_ioctl(4). */
export function createTerminals(nowMs: () => number, sockets: Sockets): Omit<Terminals, "loadKeymap"> {
  const open = new Map<string, QuietTerminal>();

  /** Reads one terminal; null if there is no input. */
  function listen(terminal: QuietTerminal, revents: number): TerminalInput | null {
    if (revents === 0) return null;
    const bytes = readTyped(terminal.fd);
    if (bytes !== null && bytes.length > 0) return { kind: "typed", terminal: terminal.node, bytes };
    if (bytes !== null && (revents & (POLLHUP | POLLERR)) === 0) return null;
    open.delete(terminal.node);
    fs.closeSync(terminal.fd);
    return { kind: "hangup", terminal: terminal.node };
  }

  function readOnce(timeoutMs: number | null, until: Until): TerminalInput | null {
    const terminals = [...open.values()];
    const { fds, answers } = listSockets(sockets, until);
    const waiting = [...terminals.map(({ fd }) => fd), ...fds].map((fd) => ({ fd, events: POLLIN }));
    const revents = poll(waiting, timeoutMs, SUBJECT);
    for (const [index, terminal] of terminals.entries()) {
      const input = listen(terminal, revents[index] ?? 0);
      if (input !== null) return input;
    }
    const socket = revents.slice(terminals.length).findIndex((events) => events !== 0);
    if (socket < 0) return null;
    if (socket >= answers) return { kind: "device" };
    sockets.answers.hear();
    return { kind: "answer" };
  }

  return {
    openTerminals(nodes) {
      for (const node of nodes) {
        const terminal = open.get(node) ?? openQuiet(node);
        if (terminal !== null) open.set(node, terminal);
      }
      return nodes.filter((node) => open.has(node));
    },
    writeTerminal(node, text) {
      const terminal = open.get(node);
      if (terminal !== undefined) writeWithin(terminal.fd, Buffer.from(text), nowMs);
    },
    terminalSize(node) {
      const terminal = open.get(node);
      return terminal === undefined ? null : readSize(terminal.fd);
    },
    readTerminals(timeoutMs, until = "anything") {
      const deadlineMs = timeoutMs === null ? null : nowMs() + timeoutMs;
      for (;;) {
        const leftMs = deadlineMs === null ? null : Math.max(0, deadlineMs - nowMs());
        const input = readOnce(leftMs, until);
        if (input !== null) return input;
        if (leftMs === 0) return { kind: "timeout" };
      }
    },
    closeTerminals() {
      // A terminal with two names (tty0 and the foreground one) gets the settings that the first name saw.
      for (const terminal of [...open.values()].reverse()) closeQuiet(terminal);
      open.clear();
    },
  };
}

/** Writes to a tty that need not be open. Never throws. */
export function writeToTerminal(node: string, text: string): void {
  // O_NONBLOCK: a serial line may wait for its carrier.
  const flags = fs.constants.O_WRONLY | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK;
  try {
    const nowMs = () => performance.now();
    closing(fs.openSync(node, flags), (fd) => writeWithin(fd, Buffer.from(text), nowMs));
  } catch {
    // A terminal that is gone: the others have the text.
  }
}

function writeWithin(fd: number, bytes: Uint8Array, nowMs: () => number): void {
  const deadlineMs = nowMs() + WRITE_LIMIT_MS;
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(fd, bytes, done);
    } catch (error) {
      const leftMs = deadlineMs - nowMs();
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || leftMs <= 0) return;
      poll([{ fd, events: POLLOUT }], leftMs, SUBJECT);
    }
  }
}
