import * as fs from "node:fs";
import { isErrno } from "../../../problems/errors.ts";
import {
  BRKINT,
  ECHO,
  ECHOE,
  ECHOK,
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
  TCFLSH,
  TCGETS,
  TCIFLUSH,
  TCSETS,
  TERMIOS,
  TIOCSTI,
  VEOF,
  VMIN,
  VTIME,
} from "../../abi-terminal.ts";
import { refusable } from "../files.ts";
import { callKernel, systemCall } from "../libc.ts";

const READ_BYTES = 1024;
/** In READ_BYTES: more than a terminal keeps (N_TTY_BUF_SIZE), for one that never ends. */
const LONGEST_REST = 8;
const FLAGS = fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK;
const CTRL_D = 0x04;

/** A terminal that is open, and its struct termios before we changed it. */
export interface QuietTerminal {
  readonly node: string;
  readonly fd: number;
  readonly before: Uint8Array;
}

/** Opens a terminal and keeps it from showing what is typed; what was typed before is read and wiped. null where there is none, or none that can be asked. */
export function openQuiet(node: string): QuietTerminal | null {
  return openWith(node, quietTermios);
}

/** As it was before; what was typed and not read is read and wiped. One that has gone meanwhile need not be restored. */
export function closeQuiet({ fd, before }: QuietTerminal): void {
  forgetInput(fd);
  callKernel("ioctl", [fd, TCSETS, before]);
  fs.closeSync(fd);
}

/** A terminal for a shell while `act` runs: lines are shown and edited, Ctrl-C interrupts. stage0 has made it silent, and so it is again afterwards. */
export function withEcho<T>(node: string, act: () => T): T {
  // Closed meanwhile: at the end of its session the kernel hangs a terminal up.
  const before = change(node, shellTermios);
  try {
    return act();
  } finally {
    if (before !== null) change(node, () => before);
  }
}

/** Returns its struct termios before; null where there is no such terminal. */
function change(node: string, make: (before: Uint8Array) => Uint8Array): Uint8Array | null {
  const terminal = openWith(node, make);
  if (terminal !== null) fs.closeSync(terminal.fd);
  return terminal?.before ?? null;
}

function openWith(node: string, make: (before: Uint8Array) => Uint8Array): QuietTerminal | null {
  let fd: number | null = null;
  try {
    const opened = refusable(node, () => fs.openSync(node, FLAGS));
    fd = opened;
    const before = new Uint8Array(TERMIOS.size);
    systemCall("ioctl", node, fd, TCGETS, before);
    // The last that can be refused: nothing is left changed. Silent first, for the kernel wipes only what is read in this mode.
    systemCall("ioctl", node, fd, TCSETS, quietTermios(before));
    forgetInput(opened);
    systemCall("ioctl", node, fd, TCSETS, make(before));
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
  const input = IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IUCLC | IXON;
  const termios = changeFlags(changeFlags(before, TERMIOS.c_iflag, { clear: input, set: 0 }), TERMIOS.c_lflag, {
    clear: ISIG | ECHO | ECHONL | IEXTEN,
    set: ICANON | EXTPROC,
  });
  termios[TERMIOS.c_cc + VMIN] = 1;
  termios[TERMIOS.c_cc + VTIME] = 0;
  // Alone, this byte would be read as nothing at all: one that is in no UTF-8.
  termios[TERMIOS.c_cc + VEOF] = 0xff;
  return termios;
}

function shellTermios(before: Uint8Array): Uint8Array {
  const termios = changeFlags(changeFlags(before, TERMIOS.c_iflag, { clear: 0, set: ICRNL | IXON }), TERMIOS.c_lflag, {
    clear: EXTPROC,
    set: ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
  });
  termios[TERMIOS.c_cc + VEOF] = CTRL_D;
  return termios;
}

/** A copy of a struct termios with other flags in the word at `offset`. */
function changeFlags(
  before: Uint8Array,
  offset: number,
  { clear, set }: { readonly clear: number; readonly set: number },
): Uint8Array {
  const termios = before.slice();
  const view = new DataView(termios.buffer);
  view.setUint32(offset, (view.getUint32(offset, true) & ~clear) | set, true);
  return termios;
}

/**
 * Reads what was typed: the kernel wipes that, and not what is flushed. Keys that were pressed before anyone had the terminal open
 * wait in the driver's buffer until the next key; TIOCSTI brings them along (since Linux 5.15, tty_buffer_unlock_exclusive).
 */
function forgetInput(fd: number): void {
  const isBrought = typeof callKernel("ioctl", [fd, TIOCSTI, new Uint8Array(1)]) !== "string";
  for (let round = 0; round < LONGEST_REST; round++) {
    const rest = readTyped(fd);
    if (rest === null || rest.length === 0) break;
    rest.fill(0);
  }
  if (!isBrought) callKernel("ioctl", [fd, TCFLSH, TCIFLUSH]); // else it would come with the next key
}

/** What was typed up to now, perhaps nothing; null where it cannot be read any more. */
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
