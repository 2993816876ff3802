import * as fs from "node:fs";
import { systemCall } from "../../src/machine/linux/libc.ts";

/** A terminal whose other end is in our hands (pty(7)). */
export interface PseudoTerminal {
  /** As "/dev/pts/0". */
  readonly node: string;
  type(bytes: string | Uint8Array): void;
  /** What has been written on it since the last time. */
  shown(): string;
  resize(columns: number, rows: number): void;
  hangUp(): void;
}

/** asm-generic/ioctls.h */
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TIOCSWINSZ = 0x5414;
/** Nothing more is to come then. */
const QUIET_MS = 100;

/** A new one; devpts has to be mounted at /dev/pts. */
export function openPseudoTerminal(): PseudoTerminal {
  const master = fs.openSync("/dev/pts/ptmx", fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK);
  const number = new Int32Array(1);
  systemCall("ioctl", "ptmx", master, TIOCSPTLCK, number);
  systemCall("ioctl", "ptmx", master, TIOCGPTN, number);
  return {
    node: `/dev/pts/${number[0]}`,
    type: (bytes) => void fs.writeSync(master, Buffer.from(bytes)),
    shown() {
      // The kernel passes it on in its own time.
      let shown = "";
      for (let quietMs = 0; quietMs < QUIET_MS; quietMs += 10) {
        const more = readNow(master);
        if (more !== "") quietMs = 0;
        shown += more;
        Bun.sleepSync(10);
      }
      return shown;
    },
    resize: (columns, rows) =>
      void systemCall("ioctl", "ptmx", master, TIOCSWINSZ, new Uint16Array([rows, columns, 0, 0])),
    hangUp: () => fs.closeSync(master),
  };
}

function readNow(master: number): string {
  const buffer = new Uint8Array(4096);
  try {
    return Buffer.from(buffer.subarray(0, fs.readSync(master, buffer))).toString();
  } catch (error) {
    // EIO: nobody has it open any more.
    if (["EAGAIN", "EIO"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
