/** Writes to standard output. If that fails, as on a full disk, the error is reported and the exit status is 1. */
export function writeOutput(text: string): void {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    // A reader that has read enough, such as head(1), is no failure.
    if (error.code !== "EPIPE") console.error(`cannot write to standard output: ${error.code ?? error.message}`);
    process.exit(1);
  });
  process.stdout.write(text);
}
