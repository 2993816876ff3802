import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** What came of `levain …`, run from the sources. */
export interface DeskRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The most memory that it had at once, as getrusage(2) counts it. */
  readonly peakMib: number;
  /** Seconds of CPU time that it used: what measures how long something takes, however busy the host is. */
  readonly cpuSeconds: number;
}

// In a small process of its own: a child's maxrss begins with that of its parent, and a run of all tests has hundreds of MiB.
const MEASURE = `
  const { exitCode, stdout, stderr, resourceUsage } = Bun.spawnSync(process.argv.slice(1));
  const peakMib = resourceUsage.maxRSS / (1 << 20);
  const cpuSeconds = Number(resourceUsage.cpuTime.total) / 1e6;
  console.log(JSON.stringify({ status: exitCode, stdout: stdout.toString(), stderr: stderr.toString(), peakMib, cpuSeconds }));`;

export function levain(argv: readonly string[]): DeskRun {
  const environment = { ...process.env, NO_COLOR: undefined, CI: undefined, TEST: undefined, TERM: "xterm" };
  const command = [process.execPath, "-e", MEASURE, process.execPath, MAIN, ...argv];
  const { stdout, stderr } = Bun.spawnSync(command, { env: environment });
  if (stdout.length === 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}
