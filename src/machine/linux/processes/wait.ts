import { systemCall } from "../libc.ts";

/** Waits until a child process has ended (wait4(2)): its exit status, or 128 + the signal's number. */
export function waitForEnd(pid: number): number {
  const status = new Int32Array(1);
  systemCall("wait4", String(pid), pid, status, 0, 0);
  const word = status[0] ?? 0;
  const signal = word & 0x7f;
  return signal === 0 ? (word >> 8) & 0xff : 128 + signal;
}
