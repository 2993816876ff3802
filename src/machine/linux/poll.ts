import { SyscallError } from "../../problems/errors.ts";
import { POLLFD } from "../abi-terminal.ts";
import { callKernel } from "./libc.ts";

/** What is waited for: a descriptor, and its events as in poll(2). */
export interface Waiting {
  readonly fd: number;
  readonly events: number;
}

/** ppoll(2): what has happened on each, 0 for nothing; null waits for ever. `subject` says in the SyscallError what it was for. */
export function poll(waiting: readonly Waiting[], timeoutMs: number | null, subject: string): readonly number[] {
  const fds = new Uint8Array(POLLFD.size * waiting.length);
  const view = new DataView(fds.buffer);
  for (const [index, { fd, events }] of waiting.entries()) {
    view.setInt32(index * POLLFD.size + POLLFD.fd, fd, true);
    view.setInt16(index * POLLFD.size + POLLFD.events, events, true);
  }
  const result = callKernel("ppoll", [fds, waiting.length, timeoutMs === null ? 0 : timespec(timeoutMs), 0, 0]);
  if (typeof result === "string") throw new SyscallError("ppoll", result, subject);
  return waiting.map((_, index) => view.getInt16(index * POLLFD.size + POLLFD.revents, true));
}

/** struct timespec. */
function timespec(ms: number): BigInt64Array {
  const seconds = Math.floor(ms / 1000);
  return BigInt64Array.of(BigInt(seconds), BigInt(Math.ceil((ms - seconds * 1000) * 1e6)));
}
