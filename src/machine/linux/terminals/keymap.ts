import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import {
  K_UNICODE,
  K_XLATE,
  KB_84,
  KB_101,
  KBENTRY,
  KDGKBMODE,
  KDGKBTYPE,
  KDSKBENT,
  KDSKBMODE,
} from "../../abi-terminal.ts";
import { callKernel, systemCall } from "../libc.ts";

/** The virtual terminal in front, and what is it where only one console is. */
const NODES = ["/dev/tty0", "/dev/console"];
const SUBJECT = "keymap";

/** `Terminals.loadKeymap`, by ioctl_console(2). */
export function loadKeymap(tables: ReadonlyMap<number, Uint16Array>): void {
  const fd = openKeyboard();
  try {
    leaveLatin1(fd);
    const entry = new Uint8Array(KBENTRY.size);
    const view = new DataView(entry.buffer);
    for (const [number, keys] of tables) {
      for (const [key, value] of keys.entries()) {
        view.setUint8(KBENTRY.kb_table, number);
        view.setUint8(KBENTRY.kb_index, key);
        view.setUint16(KBENTRY.kb_value, value, true);
        setEntry(fd, entry);
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** EINVAL: this kernel has no such function of a key. The other keys are no worse for it. */
function setEntry(fd: number, entry: Uint8Array): void {
  const result = callKernel("ioctl", [fd, KDSKBENT, entry]);
  if (typeof result === "string" && result !== "EINVAL") throw new SyscallError("ioctl", result, SUBJECT);
}

/** The keyboard of the virtual terminals: what is not theirs does not answer, or as another type. */
function openKeyboard(): number {
  for (const node of NODES) {
    const fd = openQuietly(node);
    if (fd === null) continue;
    const type = new Uint8Array(1);
    const isKeyboard = callKernel("ioctl", [fd, KDGKBTYPE, type]) === 0 && [KB_84, KB_101].includes(type[0] ?? 0);
    if (isKeyboard) return fd;
    fs.closeSync(fd);
  }
  throw new SyscallError("ioctl", "ENOTTY", SUBJECT);
}

function openQuietly(node: string): number | null {
  try {
    return fs.openSync(node, fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

/** A keyboard in K_XLATE (vt.default_utf8=0) takes no key outside Latin-1 and gives none. A raw one has a program behind it. */
function leaveLatin1(fd: number): void {
  const mode = new Int32Array(1);
  systemCall("ioctl", SUBJECT, fd, KDGKBMODE, mode);
  if (mode[0] === K_XLATE) systemCall("ioctl", SUBJECT, fd, KDSKBMODE, K_UNICODE);
}
