import { closeSync, fstatSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteCommandCost } from "./run-notes.ts";

/** A command that did not end well; the message holds what it said last. */
export class CommandError extends Error {
  constructor(argv: readonly string[], status: number, output: string) {
    super(`${argv.join(" ")}: exit status ${status}\n${output.trimEnd().split("\n").slice(-20).join("\n")}`);
    this.name = "CommandError";
  }
}

/** Runs a program to its end and returns its stdout as text; throws CommandError where the exit status is not 0. */
export async function run(
  argv: readonly string[],
  options: {
    readonly cwd?: string;
    readonly stdin?: string;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<string> {
  const [stdout, stderr] = [openOutput(), openOutput()];
  try {
    const child = Bun.spawn([...argv], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: {
        ...process.env,
        PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
        LC_ALL: "C",
        ...options.environment,
      },
      stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
      stdout,
      stderr,
    });
    const status = await child.exited;
    noteCommandCost(argv, child.resourceUsage()?.cpuTime.total);
    if (status !== 0) throw new CommandError(argv, status, readOutput(stderr) || readOutput(stdout));
    return readOutput(stdout);
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

/** A file without a name. Of a pipe, the runtime misses the end now and then where many programs run at once, and waits for ever. */
function openOutput(): number {
  const path = join(tmpdir(), `levain-output-${Bun.randomUUIDv7()}`);
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return descriptor;
}

function readOutput(descriptor: number): string {
  const bytes = Buffer.alloc(fstatSync(descriptor).size);
  for (let done = 0, count = 1; done < bytes.length && count > 0; done += count)
    count = readSync(descriptor, bytes, done, bytes.length - done, done);
  return bytes.toString();
}

/** Runs a shell script (dash, `set -e`) with `$1`, `$2`, … and returns its stdout; throws CommandError on failure. */
export function runScript(
  script: string,
  args: readonly string[] = [],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  return run(["/bin/sh", "-euc", script, "sh", ...args], options);
}

/** `argv` without root's capabilities. Not as another user: that one may not be let into this tree. */
export function unprivileged(argv: readonly string[]): string[] {
  const isRoot = process.getuid?.() === 0;
  return [...(isRoot ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] : []), ...argv];
}
