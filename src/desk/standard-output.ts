import { BootError, SyscallError } from "../problems/errors.ts";
import { report } from "../problems/report.ts";

let isWatched = false;

/** Writes to standard output. If that fails, as on a full disk, the error is reported and the exit status is 1. */
export function writeOutput(text: string): void {
  if (!isWatched) process.stdout.on("error", fail);
  isWatched = true;
  process.stdout.write(text);
}

/** The same with a newline. The runtime's console.log does not say that a disk is full. */
export const writeLine = (text: string): void => writeOutput(`${text}\n`);

function fail(error: NodeJS.ErrnoException): never {
  // A reader that has read enough, such as head(1), is no failure.
  if (error.code !== "EPIPE") {
    const cause = new SyscallError("write", error.code ?? error.message, "standard output");
    console.error(report(new BootError("cannot write to standard output", { cause })).join("\n"));
  }
  process.exit(1);
}
