import * as fs from "node:fs";
import { isErrno } from "../errors.ts";
import {
  BRKINT,
  ECHO,
  ECHONL,
  EXTPROC,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNBRK,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IXON,
  PARMRK,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  TCFLSH,
  TCGETS,
  TCIFLUSH,
  TCSETS,
  TERMIOS,
  VEOF,
  VMIN,
  VTIME,
} from "./abi-terminal.ts";
import { callKernel, systemCall } from "./libc.ts";
import { refusable } from "./linux-files.ts";
import { poll } from "./linux-poll.ts";
import type { TerminalInput, Terminals } from "./terminals.ts";

const SUBJECT = "terminals";
const READ_BYTES = 1024;
const WRITE_LIMIT_MS = 1000;
/** In READ_BYTES: more than a terminal keeps (N_TTY_BUF_SIZE), for one that never ends. */
const LONGEST_REST = 8;
const FLAGS = fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK;

interface OpenTerminal {
  readonly node: string;
  readonly fd: number;
  /** Its struct termios before us. */
  readonly before: Uint8Array;
}

/** Terminals by tty_ioctl(4). `uevents` is the socket that is listened on; null where none is yet. */
export function createTerminals(nowMs: () => number, uevents: () => number | null): Omit<Terminals, "loadKeymap"> {
  const open = new Map<string, OpenTerminal>();

  /** What one of them has to say; null where it was only asked in vain. */
  function listen(terminal: OpenTerminal, revents: number): TerminalInput | null {
    if (revents === 0) return null;
    const bytes = readNow(terminal.fd);
    if (bytes !== null && bytes.length > 0) return { kind: "typed", terminal: terminal.node, bytes };
    if (bytes !== null && (revents & (POLLHUP | POLLERR)) === 0) return null;
    open.delete(terminal.node);
    fs.closeSync(terminal.fd);
    return { kind: "hangup", terminal: terminal.node };
  }

  function readOnce(timeoutMs: number | null, until: "anything" | "typing"): TerminalInput | null {
    const terminals = [...open.values()];
    const socket = until === "typing" ? null : uevents();
    const waiting = terminals.map(({ fd }) => ({ fd, events: POLLIN }));
    const revents = poll(socket === null ? waiting : [...waiting, { fd: socket, events: POLLIN }], timeoutMs, SUBJECT);
    for (const [index, terminal] of terminals.entries()) {
      const input = listen(terminal, revents[index] ?? 0);
      if (input !== null) return input;
    }
    return (revents[terminals.length] ?? 0) === 0 ? null : { kind: "device" };
  }

  return {
    openTerminals(nodes) {
      for (const node of nodes) {
        const terminal = open.get(node) ?? openTerminal(node);
        if (terminal !== null) open.set(node, terminal);
      }
      return nodes.filter((node) => open.has(node));
    },
    writeTerminal(node, text) {
      const terminal = open.get(node);
      if (terminal !== undefined) writeWithin(terminal.fd, Buffer.from(text), nowMs);
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
      // Of one that has two names (tty0 and the one in front), the first saw it as it was before.
      for (const terminal of [...open.values()].reverse()) closeTerminal(terminal);
      open.clear();
    },
  };
}

/** null where there is no terminal, or none that can be asked. */
function openTerminal(node: string): OpenTerminal | null {
  let fd: number | null = null;
  try {
    const opened = refusable(node, () => fs.openSync(node, FLAGS));
    fd = opened;
    const before = new Uint8Array(TERMIOS.size);
    systemCall("ioctl", node, fd, TCGETS, before);
    // The last that can be refused: nothing is left changed.
    systemCall("ioctl", node, fd, TCSETS, quietTermios(before));
    callKernel("ioctl", [fd, TCFLSH, TCIFLUSH]);
    return { node, fd: opened, before };
  } catch (error) {
    if (fd !== null) fs.closeSync(fd);
    if (isErrno(error)) return null;
    throw error;
  }
}

/**
 * Byte by byte as they were typed, and none of them shown; output stays as it is, for others write there too. Not by leaving the
 * canonical mode: in it, without echo, the kernel wipes what has been read (zero_buffer in n_tty.c, since 4.20), and EXTPROC
 * leaves editing the line to us.
 */
function quietTermios(before: Uint8Array): Uint8Array {
  const termios = before.slice();
  const view = new DataView(termios.buffer);
  const change = (offset: number, flags: { readonly clear: number; readonly set: number }) =>
    view.setUint32(offset, (view.getUint32(offset, true) & ~flags.clear) | flags.set, true);
  change(TERMIOS.c_iflag, {
    clear: IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IUCLC | IXON,
    set: 0,
  });
  change(TERMIOS.c_lflag, { clear: ISIG | ECHO | ECHONL | IEXTEN, set: ICANON | EXTPROC });
  termios[TERMIOS.c_cc + VMIN] = 1;
  termios[TERMIOS.c_cc + VTIME] = 0;
  // Alone, this byte would be read as nothing at all: one that is in no UTF-8.
  termios[TERMIOS.c_cc + VEOF] = 0xff;
  return termios;
}

/** One that has gone meanwhile need not be restored. */
function closeTerminal({ fd, before }: OpenTerminal): void {
  forgetInput(fd);
  callKernel("ioctl", [fd, TCSETS, before]);
  fs.closeSync(fd);
}

/** What is only flushed stays in the kernel's memory: it wipes what is read. */
function forgetInput(fd: number): void {
  for (let round = 0; round < LONGEST_REST; round++) {
    const rest = readNow(fd);
    if (rest === null || rest.length === 0) break;
    rest.fill(0);
  }
  callKernel("ioctl", [fd, TCFLSH, TCIFLUSH]);
}

/** What was typed up to now, perhaps nothing; null where it cannot be read any more. */
function readNow(fd: number): Uint8Array | null {
  const buffer = new Uint8Array(READ_BYTES);
  try {
    const length = callKernel("read", [fd, buffer, buffer.length]);
    if (length === "EAGAIN") return new Uint8Array();
    return typeof length === "string" ? null : buffer.slice(0, length);
  } finally {
    buffer.fill(0);
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
