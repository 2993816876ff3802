import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** What came of `levain …`, run from the sources. */
export interface DeskRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The most memory that it had at once, as getrusage(2) counts it. */
  readonly peakMib: number;
}

/** Runs a command of levain as a person would, in a directory of the caller's; null is this one. */
export function levain(argv: readonly string[], directory: string | null = null): DeskRun {
  const environment = { ...process.env, NO_COLOR: undefined, CI: undefined, TEST: undefined, TERM: "xterm" };
  const { exitCode, stdout, stderr, resourceUsage } = Bun.spawnSync([process.execPath, MAIN, ...argv], {
    env: environment,
    ...(directory === null ? {} : { cwd: directory }),
  });
  const peakMib = resourceUsage.maxRSS / (1 << 20);
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString(), peakMib };
}
