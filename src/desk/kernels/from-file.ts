import { describeKind } from "../../machine/file-kinds.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError, SyscallError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { withReader } from "../host.ts";

/** Returns what `read` returns of a file. Throws BootError with `seen` if there is no such file, or if it cannot be read. */
export function fromFile<T>(machine: Machine, path: string, read: () => T, seen: readonly string[] = []): T {
  const what = `cannot read ${printable(path)}`;
  try {
    const status = machine.stat(path);
    if (status === null) throw new BootError(`${what}: there is no such file`, { seen });
    if (status.kind !== "file")
      throw new BootError(`${what}: it is ${describeKind(status.kind)}, not a file`, { seen });
    return read();
  } catch (cause) {
    if (!(cause instanceof SyscallError)) throw cause;
    throw new BootError(what, { cause, seen, ...(cause.code === "EACCES" && { hint: "run this as root" }) });
  }
}

/** Returns `path`. Throws BootError if it is no file that this user may read: other programs report that in their own ways. */
export function readableFile(machine: Machine, path: string): string {
  return fromFile(machine, path, () => withReader(machine, path, () => path));
}
