import * as fs from "node:fs";
import { isErrno } from "../../../problems/errors.ts";
import * as abi from "../../abi/terminal.ts";
import type { TerminalSize } from "../../terminals.ts";
import { openFile } from "../descriptors.ts";
import { callKernel, systemCall } from "../libc.ts";

const READ_BYTES = 1024;
/** Reads of READ_BYTES: more than a terminal buffers (N_TTY_BUF_SIZE), for input that never ends. */
const LONGEST_REST = 8;
const FLAGS = fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK;
const CTRL_D = 0x04;

/** A terminal that is open, and its struct termios before we changed it. */
export interface QuietTerminal {
  readonly node: string;
  readonly fd: number;
  readonly before: Uint8Array;
}

/** Opens a terminal without echo; reads and wipes what was typed before. null if there is no such terminal, or it cannot be used. */
export function openQuiet(node: string): QuietTerminal | null {
  return openWith(node, quietTermios);
}

/** Restores a terminal and closes it; reads and wipes what was typed. Ignores a terminal that is gone. */
export function closeQuiet({ fd, before }: QuietTerminal): void {
  forgetInput(fd);
  callKernel("ioctl", [fd, abi.TCSETS, before]);
  fs.closeSync(fd);
}

/** Sets a terminal for a shell while `act` runs: echo, line editing, Ctrl-C. Afterwards it is silent again, as stage0 has set it. */
export function withEcho<T>(node: string, act: () => T): T {
  // It is closed meanwhile: the kernel hangs a terminal up at the end of its session.
  const before = change(node, shellTermios);
  try {
    return act();
  } finally {
    if (before !== null) change(node, () => before);
  }
}

/** Returns the struct termios before; null if there is no such terminal. */
function change(node: string, make: (before: Uint8Array) => Uint8Array): Uint8Array | null {
  const terminal = openWith(node, make);
  if (terminal !== null) fs.closeSync(terminal.fd);
  return terminal?.before ?? null;
}

function openWith(node: string, make: (before: Uint8Array) => Uint8Array): QuietTerminal | null {
  let fd: number | null = null;
  try {
    const opened = openFile(node, FLAGS);
    fd = opened;
    const before = new Uint8Array(abi.TERMIOS.size);
    systemCall("ioctl", node, fd, abi.TCGETS, before);
    // The last call that can be refused leaves nothing changed. Silent first, because the kernel wipes only what is read in this mode.
    systemCall("ioctl", node, fd, abi.TCSETS, quietTermios(before));
    forgetInput(opened);
    systemCall("ioctl", node, fd, abi.TCSETS, make(before));
    return { node, fd: opened, before };
  } catch (error) {
    if (fd !== null) fs.closeSync(fd);
    if (isErrno(error)) return null;
    throw error;
  }
}

/**
 * Bytes as they are typed, without echo; output stays as it is, because other programs write there too. Canonical mode stays on: in
 * it, without echo, the kernel wipes what has been read (zero_buffer in n_tty.c, since 4.20), and EXTPROC leaves line editing to us.
 */
function quietTermios(before: Uint8Array): Uint8Array {
  const input =
    abi.IGNBRK | abi.BRKINT | abi.PARMRK | abi.ISTRIP | abi.INLCR | abi.IGNCR | abi.ICRNL | abi.IUCLC | abi.IXON;
  const termios = before.slice();
  changeFlags(termios, abi.TERMIOS.c_iflag, input, 0);
  changeFlags(termios, abi.TERMIOS.c_lflag, abi.ISIG | abi.ECHO | abi.ECHONL | abi.IEXTEN, abi.ICANON | abi.EXTPROC);
  termios[abi.TERMIOS.c_cc + abi.VMIN] = 1;
  termios[abi.TERMIOS.c_cc + abi.VTIME] = 0;
  // A VEOF byte alone would end the input: 0xff never occurs in UTF-8.
  termios[abi.TERMIOS.c_cc + abi.VEOF] = 0xff;
  return termios;
}

function shellTermios(before: Uint8Array): Uint8Array {
  const local = abi.ISIG | abi.ICANON | abi.ECHO | abi.ECHOE | abi.ECHOK | abi.IEXTEN;
  const termios = before.slice();
  changeFlags(termios, abi.TERMIOS.c_iflag, 0, abi.ICRNL | abi.IXON);
  changeFlags(termios, abi.TERMIOS.c_lflag, abi.EXTPROC, local);
  termios[abi.TERMIOS.c_cc + abi.VEOF] = CTRL_D;
  return termios;
}

function changeFlags(termios: Uint8Array, offset: number, clear: number, set: number): void {
  const view = new DataView(termios.buffer);
  view.setUint32(offset, (view.getUint32(offset, true) & ~clear) | set, true);
}

/**
 * Reads and wipes what was typed: the kernel does not wipe what is flushed. Keys that were pressed while no process had the terminal
 * open wait in the driver's buffer until the next key; TIOCSTI delivers them (since Linux 5.15, tty_buffer_unlock_exclusive).
 */
function forgetInput(fd: number): void {
  const isDelivered = typeof callKernel("ioctl", [fd, abi.TIOCSTI, new Uint8Array(1)]) !== "string";
  for (let round = 0; round < LONGEST_REST; round++) {
    const rest = readTyped(fd);
    if (rest === null || rest.length === 0) break;
    rest.fill(0);
  }
  if (!isDelivered) callKernel("ioctl", [fd, abi.TCFLSH, abi.TCIFLUSH]); // else they would come with the next key
}

/** Returns the size of a terminal; null if it does not know it. */
export function readSize(fd: number): TerminalSize | null {
  const size = new Uint16Array(4);
  if (typeof callKernel("ioctl", [fd, abi.TIOCGWINSZ, size]) === "string") return null;
  const [rows = 0, columns = 0] = size;
  return rows > 0 && columns > 0 ? { columns, rows } : null;
}

/** Reads what was typed so far, perhaps nothing; null if the terminal cannot be read any longer. */
export function readTyped(fd: number): Uint8Array | null {
  const buffer = new Uint8Array(READ_BYTES);
  try {
    const length = callKernel("read", [fd, buffer, buffer.length]);
    if (length === "EAGAIN") return new Uint8Array();
    return typeof length === "string" ? null : buffer.slice(0, length);
  } finally {
    buffer.fill(0);
  }
}
