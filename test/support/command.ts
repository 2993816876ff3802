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
  const child = Bun.spawn([...argv], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C", ...options.environment },
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (status !== 0) throw new CommandError(argv, status, stderr || stdout);
  return stdout;
}

/** Runs a shell script (dash, `set -e`) with `$1`, `$2`, … and returns its stdout; throws CommandError on failure. */
export function runScript(
  script: string,
  args: readonly string[] = [],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  return run(["/bin/sh", "-euc", script, "sh", ...args], options);
}
