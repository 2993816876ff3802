import { SyscallError } from "../../problems/errors.ts";
import { POLLFD } from "../abi/terminal.ts";
import { callKernel } from "./libc.ts";

/** Waits by ppoll(2) for descriptors with their events; returns the events of each, 0 for none. null waits without limit; `subject` is for the SyscallError. */
export function poll(
  waiting: readonly { readonly fd: number; readonly events: number }[],
  timeoutMs: number | null,
  subject: string,
): readonly number[] {
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

function timespec(ms: number): BigInt64Array {
  const seconds = Math.floor(ms / 1000);
  return BigInt64Array.of(BigInt(seconds), BigInt(Math.ceil((ms - seconds * 1000) * 1e6)));
}
