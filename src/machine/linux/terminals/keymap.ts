import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import * as abi from "../../abi/terminal.ts";
import { closing } from "../descriptors.ts";
import { callKernel, systemCall } from "../libc.ts";

/** The foreground virtual terminal, also behind /dev/console if it is the only console. */
const NODES = ["/dev/tty0", "/dev/console"];
const SUBJECT = "keymap";

/** Implements `Terminals.loadKeymap` by ioctl_console(2). */
export function loadKeymap(tables: ReadonlyMap<number, Uint16Array>): void {
  closing(openKeyboard(), (fd) => {
    leaveLatin1(fd);
    const entry = new Uint8Array(abi.KBENTRY.size);
    const view = new DataView(entry.buffer);
    for (const [number, keys] of tables) {
      for (const [key, value] of keys.entries()) {
        view.setUint8(abi.KBENTRY.kb_table, number);
        view.setUint8(abi.KBENTRY.kb_index, key);
        view.setUint16(abi.KBENTRY.kb_value, value, true);
        setEntry(fd, entry);
      }
    }
  });
}

/** Ignores EINVAL: this kernel lacks the function of one key, which does not affect the others. */
function setEntry(fd: number, entry: Uint8Array): void {
  const result = callKernel("ioctl", [fd, abi.KDSKBENT, entry]);
  if (typeof result === "string" && result !== "EINVAL") throw new SyscallError("ioctl", result, SUBJECT);
}

/** Opens the keyboard of the virtual terminals: any other device refuses, or returns another type. */
function openKeyboard(): number {
  for (const node of NODES) {
    const fd = openQuietly(node);
    if (fd === null) continue;
    const type = new Uint8Array(1);
    const isKeyboard =
      callKernel("ioctl", [fd, abi.KDGKBTYPE, type]) === 0 && [abi.KB_84, abi.KB_101].includes(type[0] ?? 0);
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

/** In K_XLATE (vt.default_utf8=0) a keyboard has only keys of Latin-1. A raw mode belongs to another program. */
function leaveLatin1(fd: number): void {
  const mode = new Int32Array(1);
  systemCall("ioctl", SUBJECT, fd, abi.KDGKBMODE, mode);
  if (mode[0] === abi.K_XLATE) systemCall("ioctl", SUBJECT, fd, abi.KDSKBMODE, abi.K_UNICODE);
}
